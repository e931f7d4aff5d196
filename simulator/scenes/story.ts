/**
 * What happens before a camera over time. `sceneAt` is a pure function of story and time: every passer-by is made from
 * the seed and the number of the minute it sets out in, so any moment can be asked for, in any order, at no cost.
 */

import { chance, hash } from './random.ts';
import { renderScene } from './render.ts';
import type { Actor, ActorClass, Ground, RenderedScene, SceneState, Street, View, Weather } from './types.ts';
import { viewOf } from './view.ts';

export interface Stay {
  id: string;
  class: ActorClass;
  place: 'fire-lane' | 'kerb';
  /** Epoch ms at which it stands … */
  from: number;
  /** … and at which it pulls away. */
  to: number;
  /** Seed of its looks; default made of the id. */
  look?: number;
}

export interface Story {
  /** Name or number for `viewOf`. */
  view: string | number;
  seed: number;
  utcOffsetMs: number;
  weather: Weather;
  trafficPerMin: number;
  walkersPerMin: number;
  /** Vehicles that use the fire lane to get past, without stopping. */
  shortcutsPerMin: number;
  caption: string;
  stays: readonly Stay[];
}

/** Seconds that pulling in and pulling away take. */
const MANOEUVRE_S = 7;
/** Vehicles come from and vanish at this many metres along the street. */
const FAR = 46;

/** The picture at a time: scene, noise and all, from nothing but the story. */
export function picture(story: Story, time: number): Promise<RenderedScene> {
  return renderScene(sceneAt(story, time), hash(story.seed, time));
}

/** Who truly stood in the fire lane, and for how long: what a detector of occupied fire lanes is to find. */
export function stays(story: Story): Stay[] {
  return story.stays.filter((s) => s.place === 'fire-lane' && s.class !== 'person');
}

export function sceneAt(story: Story, time: number): SceneState {
  const view = viewOf(story.view);
  const local = new Date(time + story.utcOffsetMs);
  const standing = story.stays.flatMap((s) => stayingActor(story, view.street, s, time));
  const passing = [
    ...passers(story, view, 'traffic', story.trafficPerMin, time),
    ...passers(story, view, 'walker', story.walkersPerMin, time),
    ...passers(story, view, 'shortcut', story.shortcutsPerMin, time),
  ];
  return {
    view,
    hour: local.getUTCHours() + local.getUTCMinutes() / 60 + local.getUTCSeconds() / 3600,
    weather: story.weather,
    actors: withoutCollisions([...standing, ...passing]),
    imaging: { noise: 2.5, blur: 0, quality: 82, jitter: 0.7 },
    caption: `${local.toISOString().slice(0, 19).replace('T', ' ')}  ${story.caption}`,
  };
}

function stayingActor(story: Story, street: Street, stay: Stay, time: number): Actor[] {
  const before = (stay.from - time) / 1000;
  const after = (time - stay.to) / 1000;
  if (before > MANOEUVRE_S || after > MANOEUVRE_S) return [];
  const c = chance('stay', story.seed, stay.id);
  const spot = placeOf(street, stay, c.next());
  const look = stay.look ?? hash(stay.id);
  const away = stay.place === 'fire-lane' ? 0 : Math.PI;
  const still: Actor = { id: stay.id, class: stay.class, at: spot, heading: away, look, speedMps: 0 };
  if (before <= 0 && after <= 0) return [still];
  return [manoeuvre(still, street, before > 0 ? -before : after)];
}

function placeOf(street: Street, stay: Stay, share: number): Ground {
  if (stay.place === 'kerb') return [street.leftKerb + 1.25, 17 + share * 10];
  const [from, to] = street.lane;
  const margin = stay.class === 'truck' ? 4.5 : 3.2;
  return [
    (street.rightKerb + street.laneEdge) / 2,
    from + margin + share * Math.max(0, to - from - 2 * margin),
  ];
}

/** Pulls in from, or away to, the carriageway; `s` < 0 before it stands, > 0 after it left, in seconds. */
function manoeuvre(still: Actor, street: Street, s: number): Actor {
  const sign = Math.cos(still.heading);
  const way = (s * Math.abs(s)) / 2; // metres gone under an acceleration of 1 m/s²
  const aside = Math.min(1, Math.abs(way) / 9);
  const towards =
    still.class === 'person' ? street.laneEdge + 1 : Math.sign(still.at[0]) * (street.rightKerb / 2);
  const x = still.at[0] + (towards - still.at[0]) * aside ** 2 * (3 - 2 * aside);
  const turn = Math.sign(s) * Math.sign(towards - still.at[0]) * 0.35 * Math.sin(Math.PI * aside);
  return {
    ...still,
    at: [x, still.at[1] + sign * way],
    heading: still.heading + turn,
    speedMps: Math.abs(s),
    gone: way,
  };
}

type Passer = 'traffic' | 'walker' | 'shortcut';

/** Those who set out in one of the last two minutes and have not yet gone. Chance decides per tenth of a minute. */
function passers(story: Story, view: View, kind: Passer, perMin: number, time: number): Actor[] {
  const slotMs = 6000;
  const current = Math.floor(time / slotMs);
  const found: Actor[] = [];
  for (let slot = current - 20; slot <= current; slot++) {
    const c = chance('passer', story.seed, kind, slot);
    if (!c.is(Math.min(0.95, perMin / 10))) continue;
    const since = (time - slot * slotMs) / 1000 - c.between(0, slotMs / 1000);
    if (since >= 0)
      found.push(...onTheWay(view, kind, `${kind}-${slot}`, hash(story.seed, kind, slot), since));
  }
  return found;
}

function onTheWay(view: View, kind: Passer, id: string, look: number, since: number): Actor[] {
  return kind === 'walker' ? walker(view, id, look, since) : vehicle(view, kind, id, look, since);
}

function vehicle(view: View, kind: Passer, id: string, look: number, since: number): Actor[] {
  const { street } = view;
  const c = chance('vehicle', look);
  const speedMps = kind === 'shortcut' ? c.between(3.5, 6) : c.between(6, 12);
  const away = kind === 'shortcut' || c.is(0.5);
  const gone = since * speedMps;
  if (gone > FAR + 4) return [];
  const lane =
    kind === 'shortcut'
      ? (street.rightKerb + street.laneEdge) / 2
      : (away ? 1 : -1) * (street.rightKerb * 0.48);
  const y = away ? gone - 4 : FAR - gone;
  const heading = away ? 0 : Math.PI;
  const isTruck = c.is(kind === 'shortcut' ? 0.2 : 0.28);
  return [
    {
      id,
      class: isTruck ? 'truck' : 'car',
      at: [lane + c.between(-0.3, 0.3), y],
      heading,
      look,
      speedMps,
      gone,
    },
  ];
}

function walker(view: View, id: string, look: number, since: number): Actor[] {
  const { street } = view;
  const c = chance('walk', look);
  const speedMps = c.between(0.9, 1.7);
  const gone = since * speedMps;
  if (c.is(0.2)) return crosser(street, id, look, speedMps, gone, c.between(11, 24));
  const left = c.is(0.45);
  const [a, b] = left ? [street.leftFront, street.leftKerb] : [street.laneEdge, street.rightFront];
  const x = a + (b - a) * c.between(0.2, 0.8);
  const away = c.is(0.5);
  // Begins somewhere on the way, out of a door or a parked car: 120 s are too short to walk the whole street.
  const y = away ? c.between(6, 16) + gone : c.between(18, 34) - gone;
  if (y < 4 || y > 36) return [];
  return [{ id, class: 'person', at: [x, y], heading: away ? 0 : Math.PI, look, speedMps, gone }];
}

function crosser(
  street: Street,
  id: string,
  look: number,
  speedMps: number,
  gone: number,
  y: number,
): Actor[] {
  const width = street.rightFront - street.leftFront - 1;
  if (gone > width) return [];
  return [
    {
      id,
      class: 'person',
      at: [street.leftFront + 0.5 + gone, y],
      heading: Math.PI / 2,
      look,
      speedMps,
      gone,
    },
  ];
}

/** Two bodies never share a place: of any two too close to each other the later one has already driven on. */
function withoutCollisions(actors: Actor[]): Actor[] {
  const kept: Actor[] = [];
  for (const a of actors) {
    if (kept.every((b) => !touch(a, b))) kept.push(a);
  }
  return kept;
}

function touch(a: Actor, b: Actor): boolean {
  const [dx, dy] = [Math.abs(a.at[0] - b.at[0]), Math.abs(a.at[1] - b.at[1])];
  const half = (actor: Actor) => (actor.class === 'person' ? 0.35 : actor.class === 'car' ? 2.5 : 4.2);
  const side = (actor: Actor) => (actor.class === 'person' ? 0.35 : 1.2);
  return dx < side(a) + side(b) && dy < half(a) + half(b);
}
