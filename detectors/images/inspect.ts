/**
 * What a model sees on pictures: the function behind `qianliyan inspect IMAGE… [--model M] [--json] [--draw OUT]`.
 * One result a picture, in the order asked for; a picture that cannot be looked at gets a named reason and does not stop
 * the others.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Box } from '../../contracts/index.ts';
import { drawDetections } from './draw.ts';
import { resolveModel } from './models/catalogue.ts';
import { loadModel, type Model } from './models/model.ts';
import { type PictureFault, UnreadablePicture } from './picture/pixels.ts';

export interface InspectOptions {
  /** Name or folder; default the product's own. */
  model?: string;
  dataFolder?: string;
  minScore?: number;
  threads?: number;
  /** Folder for drawn copies, `<name>.jpg` each. */
  draw?: string;
}

/** One line of `inspect --json`. Boxes are in pixels of the upright picture. */
export interface Inspected {
  image: string;
  width: number;
  height: number;
  model: string;
  detections: { class: string; score: number; box: Box }[];
  /** Reading plates is not built yet: always empty. */
  plates: { text: string; score: number; box: Box }[];
  error?: { reason: PictureFault | 'not-readable'; message: string };
}

/** @throws QianliyanError MODEL_INVALID */
export async function* inspectImages(
  images: readonly string[],
  options: InspectOptions = {},
): AsyncGenerator<Inspected> {
  const folder = await resolveModel(options.model ?? 'street-scenes', options.dataFolder);
  const model = await loadModel(folder, options.threads === undefined ? {} : { threads: options.threads });
  try {
    if (options.draw) await mkdir(options.draw, { recursive: true });
    for (const image of images) yield await inspectOne(model, image, options);
  } finally {
    await model.close();
  }
}

async function inspectOne(
  model: Model,
  image: string,
  { minScore, draw }: InspectOptions,
): Promise<Inspected> {
  const line = { image, width: 0, height: 0, model: model.manifest.name, detections: [], plates: [] };
  try {
    const bytes = await readFile(image);
    const seen = await model.detect(bytes, minScore);
    if (draw)
      await writeFile(
        join(draw, `${basename(image, extname(image))}.jpg`),
        await drawDetections(bytes, seen.detections),
      );
    return { ...line, ...seen };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      ...line,
      error: { reason: error instanceof UnreadablePicture ? error.reason : 'not-readable', message },
    };
  }
}
