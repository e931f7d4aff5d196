import { z } from 'zod';
import { Finding } from '../../contracts/index.ts';
import { type Attached, type DeviceEntry, watchOf } from './entries.ts';
import type { Following } from './following.ts';
import type { OpenFindings } from './ledger.ts';
import type { SensorRouter } from './routing.ts';
import type { Emit } from './telling.ts';

/**
 * The state of all watches at one position, as lines of JSON: a head, then one line a device.
 *
 *   {"format":1,"now":…,"attention":{…}}
 *   {"d":"dust-01","h":…,"w":[WATCH…],"s":[["dust-01/TSP",lastTime,[WATCH…]],…]}      WATCH = [label, fingerprint, state, open, fault]
 *
 * Promises: taken in small steps while records go on, it still is the state at the moment it was begun, since an entry is
 * taken before its first change after that. What cannot be read any more (a changed detector, a damaged line) starts
 * fresh; what it had open is closed.
 */
const SavedWatch = z.tuple([
  z.string(),
  z.string(),
  z.unknown(),
  z.array(Finding).nullable(),
  z.string().nullable(),
]);
type SavedWatch = z.infer<typeof SavedWatch>;

const Head = z.strictObject({
  format: z.literal(1),
  now: z.number(),
  attention: z.strictObject({
    attendedSince: z.number().nullable(),
    lastTick: z.number().nullable(),
    typicalMs: z.number().nullable(),
  }),
});

const Line = z.strictObject({
  d: z.string(),
  h: z.number(),
  w: z.array(SavedWatch),
  s: z.array(z.tuple([z.string(), z.number(), z.array(SavedWatch)])),
});

export class Snapshot {
  readonly #following: Following;
  readonly #epoch: number;
  readonly #left: Iterator<DeviceEntry>;
  readonly #lines: string[] = [];
  readonly #chunks: Uint8Array[] = [];

  /** Begins: from here on it is this moment's state, whatever records the router handles meanwhile. */
  constructor(router: SensorRouter) {
    const { following, telling, attention } = router;
    this.#following = following;
    following.epoch += 1;
    this.#epoch = following.epoch;
    this.#left = following.entries.values();
    const head: z.infer<typeof Head> = { format: 1, now: telling.now, attention: attention.save() };
    this.#lines.push(JSON.stringify(head));
    following.beforeChange = (entry) => this.#take(entry);
  }

  /** Takes up to so many entries; true once all are taken. */
  step(entries: number): boolean {
    for (let i = 0; i < entries; i += 1) {
      const next = this.#left.next();
      if (next.done) {
        this.#pack();
        this.#following.beforeChange = null;
        return true;
      }
      this.#take(next.value);
    }
    this.#pack();
    return false;
  }

  /** All of it, once `step` has said true. */
  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  #take(entry: DeviceEntry): void {
    if (entry.savedIn >= this.#epoch) return;
    entry.savedIn = this.#epoch;
    this.#lines.push(JSON.stringify(lineOf(entry)));
  }

  #pack(): void {
    if (this.#lines.length === 0) return;
    this.#chunks.push(Buffer.from(`${this.#lines.join('\n')}\n`, 'utf8'));
    this.#lines.length = 0;
  }
}

/** The whole state at once, for small fleets and for stopping. */
export function snapshotNow(router: SensorRouter): Uint8Array {
  const snapshot = new Snapshot(router);
  while (!snapshot.step(10_000));
  return snapshot.bytes();
}

function lineOf(entry: DeviceEntry): z.infer<typeof Line> {
  return {
    d: entry.id,
    h: entry.heardAt,
    w: entry.watches.map(saved),
    s: entry.streams.map((stream) => [stream.id, stream.lastTime, stream.watches.map(saved)]),
  };
}

function saved(attached: Attached): SavedWatch {
  const open = attached.open === null ? null : [...attached.open.values()];
  return [attached.plan.label, attached.fingerprint, watchOf(attached)?.save() ?? null, open, attached.fault];
}

/** Fills a new router. What cannot be taken over is told through `problem`; the rest goes on from where it was. */
export function restoreSnapshot(
  router: SensorRouter,
  bytes: Uint8Array,
  emit: Emit,
  problem: (text: string) => void,
): void {
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  const head = Head.parse(JSON.parse(lines[0] ?? ''));
  router.attention.restore(head.attention);
  router.resumeAt(head.now, head.attention.lastTick);
  router.telling.emit = emit;
  for (const text of lines.slice(1)) {
    if (text === '') continue;
    try {
      restoreEntry(router, Line.parse(JSON.parse(text)), problem);
    } catch (error) {
      problem(`a line of the checkpoint cannot be read: ${String(error)}`);
    }
  }
}

function restoreEntry(
  { following, telling }: SensorRouter,
  line: z.infer<typeof Line>,
  problem: (text: string) => void,
): void {
  const entry = following.enterAt(line.d, telling.now);
  if (entry === null) return;
  entry.heardAt = line.h;
  const fillAll = (watches: readonly Attached[], states: readonly SavedWatch[], about: string): void => {
    for (const state of states) {
      if (!fill(watches, state, about, problem)) telling.end(state[0], entry.id, openOf(state));
    }
  };
  fillAll(entry.watches, line.w, entry.id);
  for (const [id, lastTime, states] of line.s) {
    fillAll(following.openStream(entry, id, lastTime)?.watches ?? [], states, id);
  }
  following.scheduleAll(entry);
}

/** Gives a saved state to the watch of the same plan and parameters. False: there is none. */
function fill(
  watches: readonly Attached[],
  saved: SavedWatch,
  about: string,
  problem: (text: string) => void,
): boolean {
  const [label, fingerprint, state, , fault] = saved;
  const heir = watches.find((w) => w.plan.label === label && w.fingerprint === fingerprint);
  if (heir === undefined) return false;
  heir.open = openOf(saved);
  heir.fault = fault;
  if (fault !== null) return true;
  try {
    watchOf(heir)?.restore(state);
  } catch (error) {
    problem(`state of ${label} for ${about} cannot be taken over: ${String(error)}`);
  }
  return true;
}

function openOf([, , , open]: SavedWatch): OpenFindings | null {
  return open === null ? null : new Map(open.map((finding) => [finding.id, finding]));
}
