import { z } from 'zod';
import type { RegisteredDevice } from '../contracts/index.ts';
import type { IngestConfig } from './config.ts';

/** What is said of a device's liveness, to the API and to whoever asks within the process: see liveness.ts. */
export const LivenessState = z.enum(['online', 'silent', 'gone', 'never-heard']);
export type LivenessState = z.infer<typeof LivenessState>;

/** Why a device is not online. */
export const LivenessWhy = z.enum(['no-message', 'said-offline', 'connection-lost']);
export type LivenessWhy = z.infer<typeof LivenessWhy>;

export const LivenessStatus = z.strictObject({
  state: LivenessState,
  since: z.number().int().nullable().describe('Of this state, epoch ms; null when it was never heard'),
  why: LivenessWhy.nullable().describe('Why it is not online'),
  lastHeard: z.number().int().nullable().describe('Receipt of its last message, epoch ms'),
  session: z
    .enum(['connected', 'disconnected', 'lost'])
    .nullable()
    .describe('Its own MQTT session, since the process began; null: none under its own name'),
  silentAfterS: z.number().describe('Silent when nothing came for so many seconds …'),
  goneAfterS: z.number().describe('… and gone after so many'),
});
export type LivenessStatus = z.infer<typeof LivenessStatus>;

export const LivenessSummary = z.strictObject({
  online: z.number().int(),
  silent: z.number().int(),
  gone: z.number().int(),
  neverHeard: z.number().int(),
});
export type LivenessSummary = z.infer<typeof LivenessSummary>;

/** Its most frequent datastream tells; one that states none, such as a camera, goes by the configuration. */
export function silentAfterMs(device: RegisteredDevice, config: IngestConfig['liveness']): number {
  const instant = device.datastreams.filter((d) => d.statistic === 'instant');
  const speaking = instant.length > 0 ? instant : device.datastreams;
  let intervalS = speaking.length > 0 ? Number.POSITIVE_INFINITY : config.unstatedIntervalS;
  for (const datastream of speaking) intervalS = Math.min(intervalS, datastream.intervalS);
  return Math.max(config.floorS, config.silentFactor * intervalS) * 1_000;
}
