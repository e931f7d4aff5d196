/**
 * Writes a data set for training and for measuring: `npx tsx simulator/scenes/dataset.ts OUT SPLIT COUNT`.
 * OUT/SPLIT/000000.jpg … and OUT/SPLIT/labels.json: [{file, hour, weather, truth: [{class, box, visible}]}].
 *
 * The streets (view seeds) of the splits are disjoint from each other and from the demonstration's cameras, so that what
 * is measured on `test` are streets that training never saw. Scenes are more crowded and more varied than a story's.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Chance, chance } from './random.ts';
import { renderScene } from './render.ts';
import type { Actor, ActorClass, Ground, Imaging, SceneState, View, Weather } from './types.ts';
import { viewOf } from './view.ts';

/** First view seed and how many streets; the demonstration's are from 900,001. */
export const SPLITS = {
  train: { firstView: 10_000, views: 600 },
  val: { firstView: 20_000, views: 60 },
  test: { firstView: 30_000, views: 100 },
} as const;
export type Split = keyof typeof SPLITS;

/** Pictures that share a street, half hour and weather: the backdrop is the dear part. */
const PER_BACKDROP = 10;
const WEATHERS: readonly Weather[] = ['clear', 'clear', 'overcast', 'rain', 'haze'];

/** The scene number `index` of a split; the same always. */
export function trainingScene(split: Split, index: number): SceneState {
  const group = Math.floor(index / PER_BACKDROP);
  const g = chance('group', split, group);
  const c = chance('scene', split, index);
  const { firstView, views } = SPLITS[split];
  const view = viewOf(firstView + (group % views));
  const hour = g.is(0.5) ? (19.5 + g.between(0, 9)) % 24 : g.between(5, 19.5);
  const local = `2026-11-${String(c.int(1, 30)).padStart(2, '0')} ${String(Math.floor(hour)).padStart(2, '0')}:${String(c.int(0, 59)).padStart(2, '0')}:00`;
  return {
    view,
    hour,
    weather: g.pick(WEATHERS),
    actors: crowd(view, c),
    imaging: imagingOf(c),
    caption: c.is(0.75) ? `${local}  CAM-${c.int(1, 99)}` : '',
  };
}

function imagingOf(c: Chance): Imaging {
  return {
    noise: c.between(0.5, 5),
    blur: c.is(0.35) ? c.between(0.3, 1.1) : 0,
    quality: c.int(45, 92),
    jitter: c.between(0, 3),
  };
}

function crowd(view: View, c: Chance): Actor[] {
  if (c.is(0.06)) return [];
  const wanted: ActorClass[] = [
    ...Array.from({ length: c.int(0, 4) }, (): ActorClass => (c.is(0.45) ? 'truck' : 'car')),
    ...Array.from({ length: c.int(0, 6) }, (): ActorClass => 'person'),
  ];
  const placed: Actor[] = [];
  wanted.forEach((kind, i) => {
    for (let attempt = 0; attempt < 6; attempt++) {
      const actor = somewhere(view, kind, `a${i}`, c);
      if (
        placed.some(
          (other) =>
            Math.hypot(other.at[0] - actor.at[0], (other.at[1] - actor.at[1]) * 0.45) < room(actor, other),
        )
      )
        continue;
      placed.push(actor);
      return;
    }
  });
  return placed;
}

function room(a: Actor, b: Actor): number {
  if (a.class === 'person' && b.class === 'person') return 0.55;
  return a.class === 'person' || b.class === 'person' ? 1.7 : 2.9;
}

function somewhere(view: View, kind: ActorClass, id: string, c: Chance): Actor {
  const { street } = view;
  const base = { id, class: kind, look: c.int(1, 2 ** 31), gone: c.between(0, 9) };
  if (kind === 'person') {
    const at: Ground = [c.between(street.leftFront + 0.3, street.rightFront - 0.3), c.between(6.5, 33)];
    return {
      ...base,
      at,
      heading: c.pick([0, Math.PI, Math.PI / 2, -Math.PI / 2, c.between(-3, 3)]),
      speedMps: c.is(0.75) ? 1.3 : 0,
    };
  }
  const lane = (street.rightKerb + street.laneEdge) / 2;
  const place = c.pick(['away', 'towards', 'lane', 'lane', 'kerb', 'astray'] as const);
  const x = {
    away: street.rightKerb * 0.48,
    towards: -street.rightKerb * 0.48,
    lane,
    kerb: street.leftKerb + 1.25,
    astray: c.between(street.leftKerb + 1, street.laneEdge - 1),
  }[place];
  const facing =
    place === 'towards' || place === 'kerb' ? Math.PI : place === 'lane' && c.is(0.3) ? Math.PI : 0;
  const turned = place === 'astray' ? c.between(-1.6, 1.6) : c.between(-0.08, 0.08);
  const moving = place === 'away' || place === 'towards' || c.is(0.25);
  return {
    ...base,
    at: [x + c.between(-0.5, 0.5), c.between(7.5, 42)],
    heading: facing + turned,
    speedMps: moving ? 8 : 0,
  };
}

async function write(out: string, split: Split, count: number): Promise<void> {
  const folder = join(out, split);
  mkdirSync(folder, { recursive: true });
  const labels: unknown[] = [];
  for (let i = 0; i < count; i++) {
    const scene = trainingScene(split, i);
    const { jpeg, truth } = await renderScene(scene, i);
    const file = `${String(i).padStart(6, '0')}.jpg`;
    writeFileSync(join(folder, file), jpeg);
    labels.push({
      file,
      hour: scene.hour,
      weather: scene.weather,
      truth: truth.map(({ class: name, box, visible }) => ({ class: name, box, visible })),
    });
  }
  writeFileSync(join(folder, 'labels.json'), JSON.stringify(labels));
}

const [, script = '', out, split, count] = process.argv;
if (/dataset\.[tj]s$/.test(script)) {
  if (!out || !split || !(split in SPLITS) || !(Number(count) > 0)) {
    console.error('use: tsx simulator/scenes/dataset.ts OUT train|val|test COUNT');
    process.exit(2);
  }
  await write(out, split as Split, Number(count));
}
