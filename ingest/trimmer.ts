import type { Log, Stream } from '../backbone/index.ts';
import { TOPICS } from '../contracts/index.ts';
import type { IngestConfig } from './config.ts';

/** Forgets what lies more than `keepRecords` behind the end of a partition and was read by every consumer. */
export function startTrimmer(
  config: IngestConfig['trim'],
  stream: Stream,
  log: Log,
): { stop(): Promise<void> } {
  let round: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    round = trim(config.keepRecords, stream).catch((error: unknown) => {
      log.warn({ err: error }, 'the stream could not be trimmed');
    });
  }, config.everyS * 1_000);
  return {
    async stop() {
      clearInterval(timer);
      await round;
    },
  };
}

async function trim(keepRecords: number, stream: Stream): Promise<void> {
  for (const topic of [TOPICS.observations, TOPICS.frames]) {
    for (const { partition, first, next } of await stream.ends(topic)) {
      if (next - keepRecords > first) await stream.trim(topic, partition, next - keepRecords);
    }
  }
}
