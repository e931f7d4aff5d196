import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { openStores, startIngestNode } from '../../bench/support/ingest-node.ts';
import { countAll } from '../../ingest/index.ts';
import type { Sender } from './sender.ts';

/**
 * What `npm run drill -- --json` prints a line of for each fault. `findingsEqual`, `doubleDrafts`, `leadsMissing`: null
 * where the drill has no detectors and no alerting in it.
 */
export interface DrillRound {
  fault: string;
  /** Readings for which a publisher holds a PUBACK. */
  acknowledged: number;
  /** Of these, in the series store, with the value that was sent. */
  stored: number;
  lost: number;
  findingsEqual: boolean | null;
  doubleDrafts: number | null;
  leadsMissing: number | null;
  /** From the end of the fault until the next acknowledgement, or until the process takes messages again. */
  recoveredMs: number;
  holds: boolean;
  /** What else was looked at. */
  also: Record<string, number | boolean | string>;
}

export interface Books {
  acknowledged: number;
  /** In the series store in all; more than acknowledged means something twice, or unasked. */
  stored: number;
  /** Acknowledged, and not in the series store. */
  lost: number;
  /** In the series store with another value than was sent. */
  altered: number;
  /** As `qianliyan count` has it. */
  missing: number;
  holds: boolean;
  /** Whether a reading of a device is stored as it was sent. */
  has(device: string, time: number): boolean;
}

/** Starts once more, with nothing coming in, until all that is on the stream is in the series store; then compares. */
export async function closeBooks(folder: string, senders: readonly Sender[]): Promise<Books> {
  const node = await startIngestNode({ folder });
  while ((await node.count()).pending > 0) await pause(50);
  await node.stop();
  return compare(folder, senders);
}

async function compare(folder: string, senders: readonly Sender[]): Promise<Books> {
  const stores = await openStores(folder, pino({ level: 'silent' }));
  try {
    let lost = 0;
    let altered = 0;
    const right = new Set<string>();
    for (const { device, acknowledged } of senders) {
      const query = { datastream: `${device}/LAeq`, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 10_000_000 };
      const stored = new Map((await stores.series.range(query)).map((p) => [p.time, p.value]));
      for (const [time, value] of acknowledged) {
        if (!stored.has(time)) lost += 1;
        else if (stored.get(time) !== value) altered += 1;
        else right.add(`${device} ${time}`);
      }
    }
    const { stored, missing, pending } = await countAll(stores);
    const acknowledged = senders.reduce((sum, s) => sum + s.acknowledged.size, 0);
    // All that was sent was acknowledged in the end, so that nothing else may be in the store, and nothing twice.
    const holds = lost === 0 && altered === 0 && missing === 0 && pending === 0 && stored === acknowledged;
    const has = (device: string, time: number) => right.has(`${device} ${time}`);
    return { acknowledged, stored, lost, altered, missing, holds, has };
  } finally {
    await stores.close();
  }
}

/** Which acknowledgements fell between two moments of a drill: what each sender had at each. */
export function marks(senders: readonly Sender[]) {
  const taken: number[][] = [senders.map(() => 0)];
  return {
    /** Ends a round here. */
    mark(): void {
      taken.push(senders.map((s) => s.acknowledged.size));
    },
    /** Counts of round n, the first is 1. */
    round(n: number, books: Books): { acknowledged: number; stored: number } {
      let acknowledged = 0;
      let stored = 0;
      for (const [i, sender] of senders.entries()) {
        const times = [...sender.acknowledged.keys()].slice(taken[n - 1]?.[i], taken[n]?.[i]);
        acknowledged += times.length;
        stored += times.filter((time) => books.has(sender.device, time)).length;
      }
      return { acknowledged, stored };
    },
  };
}

export const NO_DETECTORS = { findingsEqual: null, doubleDrafts: null, leadsMissing: null } as const;
