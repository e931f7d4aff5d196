import { z } from 'zod';
import type { DeviceDirectory, Series } from '../backbone/index.ts';
import { datastreamId, QianliyanError } from '../contracts/index.ts';
import type { KnownDevices } from './known-devices.ts';
import type { Liveness } from './liveness.ts';
import { type LivenessState, LivenessStatus, type LivenessSummary } from './liveness-words.ts';

/** How a device is: its liveness, its clock, and its newest reading. For people who ask; nothing decides by it. */
export const DeviceStatus = LivenessStatus.extend({
  device: z.string(),
  clockOffS: z
    .number()
    .nullable()
    .describe('Seconds that its clock is ahead of ours, below 0: behind; null: not measured since the start'),
  lastReading: z
    .strictObject({
      datastream: z.string(),
      time: z.number().int().describe('When it was so at the device, epoch ms'),
      receivedAt: z.number().int().describe('Epoch ms'),
      lagS: z.number().describe('Seconds from the one to the other'),
    })
    .nullable()
    .describe('The newest stored value of its datastreams'),
});
export type DeviceStatus = z.infer<typeof DeviceStatus>;

export interface DeviceStatuses {
  /** By id or address. @throws QianliyanError NOT_FOUND */
  of(name: string): Promise<DeviceStatus>;
  summary(): LivenessSummary;
  /** Ids in ascending order, behind `after`. */
  list(state: LivenessState, limit: number, after: string): string[];
}

export function deviceStatuses(deps: {
  liveness: Liveness;
  known: Pick<KnownDevices, 'find'>;
  series: Pick<Series, 'latest'>;
  directory: DeviceDirectory;
}): DeviceStatuses {
  const { liveness, known, directory } = deps;

  async function lastReading(names: readonly string[]): Promise<DeviceStatus['lastReading']> {
    const latest = [...(await deps.series.latest(names)).values()];
    const newest = latest.toSorted((a, b) => b.time - a.time)[0];
    if (newest === undefined) return null;
    const { datastream, time, receivedAt } = newest;
    return { datastream, time, receivedAt, lagS: (receivedAt - time) / 1_000 };
  }

  return {
    async of(name) {
      const device = directory.find(name);
      if (device === undefined) throw new QianliyanError('NOT_FOUND', `no device ${name} in the registry`);
      const offsetMs = known.find(device.id)?.clock.offsetMs ?? null;
      const names = device.datastreams.map((d) => datastreamId(device.id, d.property, d.statistic));
      return {
        device: device.id,
        ...liveness.statusOf(device.id),
        clockOffS: offsetMs === null ? null : offsetMs / 1_000,
        lastReading: await lastReading(names),
      };
    },
    summary: () => liveness.summary(),
    list: (state, limit, after) =>
      [...liveness.devicesIn(state)]
        .filter((id) => id > after)
        .sort()
        .slice(0, limit),
  };
}
