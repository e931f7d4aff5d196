/**
 * How well a model does on pictures whose truth is known: a folder of pictures and `labels.json`, a list of
 * `{file, truth: [{class, box: [x, y, w, h], visible}]}` with boxes in pixels of the upright picture. Runs the product's own way,
 * from bytes to detections; knows nothing of how the pictures were made.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parse } from '../../backbone/validation.ts';
import { Box } from '../../contracts/index.ts';
import { resolveModel } from './models/catalogue.ts';
import { loadModel } from './models/model.ts';
import { iou } from './picture/nms.ts';

const Labels = z.array(
  z.object({
    file: z.string(),
    truth: z.array(z.object({ class: z.string(), box: Box, visible: z.number().min(0).max(1).default(1) })),
  }),
);

export interface ClassScore {
  truths: number;
  /** Share of what was found that is true. */
  precision: number;
  /** Share of what is true that was found. */
  recall: number;
}

interface Tally {
  truths: number;
  found: number;
  right: number;
}

type Thing = { class: string; box: Box };
/** `optional`: too small or too hidden to be asked for. Not missed when missing, not wrong when found. */
type TrueThing = Thing & { optional?: boolean };

/** A find is right when it has the class and at least this overlap with a truth that no better find has taken. */
const MIN_IOU = 0.5;

/** Counts one picture into `tallies` (by class). `found` best first. */
export function tally(
  tallies: Map<string, Tally>,
  found: readonly Thing[],
  truth: readonly TrueThing[],
): void {
  const free = new Set(truth);
  const of = (name: string) => {
    const known = tallies.get(name) ?? { truths: 0, found: 0, right: 0 };
    tallies.set(name, known);
    return known;
  };
  for (const t of truth) if (!t.optional) of(t.class).truths++;
  for (const f of found) {
    // What is asked for goes first, of that the closest.
    const [best] = [...free]
      .filter((t) => t.class === f.class && iou(t.box, f.box) >= MIN_IOU)
      .sort((a, b) => Number(!!a.optional) - Number(!!b.optional) || iou(b.box, f.box) - iou(a.box, f.box));
    if (best) free.delete(best);
    if (best?.optional) continue;
    of(f.class).found++;
    if (best) of(f.class).right++;
  }
}

export interface ScoreOptions {
  model?: string;
  dataFolder?: string;
  minScore?: number;
  threads?: number;
  /** Truths of which a smaller share can be seen, or that are less high in pixels, are optional. Default 0: all count. */
  minVisible?: number;
  minHeight?: number;
}

/** @returns precision and recall by class of the model */
export async function scoreFrames(
  folder: string,
  options: ScoreOptions = {},
): Promise<Record<string, ClassScore>> {
  const labels = parse(Labels, JSON.parse(await readFile(join(folder, 'labels.json'), 'utf8')), {
    prefix: 'labels.json',
  });
  const modelFolder = await resolveModel(options.model ?? 'street-scenes', options.dataFolder);
  const model = await loadModel(
    modelFolder,
    options.threads === undefined ? {} : { threads: options.threads },
  );
  const tallies = new Map<string, Tally>(
    model.manifest.classes.map((name) => [name, { truths: 0, found: 0, right: 0 }]),
  );
  for (const { file, truth } of labels) {
    const { detections } = await model.detect(await readFile(join(folder, file)), options.minScore);
    const { minVisible = 0, minHeight = 0 } = options;
    const marked = truth.map((t) => ({ ...t, optional: t.visible < minVisible || t.box[3] < minHeight }));
    tally(tallies, detections, marked);
  }
  await model.close();
  const share = (n: number, of: number) => (of === 0 ? 1 : Math.round((n / of) * 1e4) / 1e4);
  return Object.fromEntries(
    [...tallies].map(([name, t]) => [
      name,
      { truths: t.truths, precision: share(t.right, t.found), recall: share(t.right, t.truths) },
    ]),
  );
}
