import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Rejected } from '../devices/codecs/index.ts';
import type { KnownDevice } from './known-devices.ts';
import { overdueWatch } from './overdue.ts';
import type { Suspect } from './quarantine.ts';

const T = 1_795_000_000_000;

describe('what a codec waited for in vain', () => {
  const waiting: { device: string; rejected: Rejected }[] = [];
  const put: Suspect[] = [];
  const known = { device: { id: 'station-1' } } as KnownDevice;
  const watch = overdueWatch({
    routes: { overdue: () => waiting.splice(0) },
    known: { find: (name) => (name === 'hj212:MN1' ? known : undefined) },
    quarantine: { put: async (suspect) => void put.push(suspect) },
    log: pino({ level: 'silent' }),
  });

  it('goes to quarantine under the device’s id, or the name it has, once', () => {
    const rejected: Rejected = { reason: 'packet-incomplete', detail: 'PNO 2 of 3 never came' };
    waiting.push({ device: 'hj212:MN1', rejected }, { device: 'hj212:MN2', rejected });
    watch(T);
    watch(T + 10_000);
    expect(put.map((s) => [s.device, s.reason, s.receivedAt, s.payload.length])).toEqual([
      ['station-1', 'packet-incomplete', T, 0],
      ['hj212:MN2', 'packet-incomplete', T, 0],
    ]);
  });
});
