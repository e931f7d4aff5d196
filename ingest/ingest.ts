import { Gauge, type Registry as Metrics } from 'prom-client';
import { encodeRecord } from '../backbone/codec.ts';
import type { Blobs, Clock, DeviceDirectory, Log, Records, Series, Stream } from '../backbone/index.ts';
import { type DeviceEvent, type QuarantineEntry, TOPICS } from '../contracts/index.ts';
import type { CodecOptions } from '../devices/codecs/index.ts';
import type { SessionEvent } from '../devices/message.ts';
import { type AcceptDeps, type Acceptor, acceptor } from './accept.ts';
import type { IngestConfig } from './config.ts';
import { countFrames, countStream, SERIES_WRITER } from './count.ts';
import { knownDevices } from './known-devices.ts';
import { line } from './line.ts';
import { openLiveness } from './liveness.ts';
import { livenessStore } from './liveness-store.ts';
import { overdueWatch } from './overdue.ts';
import { pictures } from './pictures.ts';
import { openQuarantine, type Quarantine } from './quarantine.ts';
import { dismissEntry } from './quarantine-resolve.ts';
import { rateLimit } from './rate-limit.ts';
import { type Rerunner, rerunner } from './rerun.ts';
import { routes } from './routes.ts';
import { startSeriesWriter } from './series-writer.ts';
import { type DeviceStatuses, deviceStatuses } from './status.ts';
import type { Tally } from './take.ts';
import { startTicker } from './ticker.ts';
import { startTrimmer } from './trimmer.ts';

export interface IngestDeps {
  stream: Stream;
  series: Series;
  records: Records;
  blobs: Blobs;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  directory: DeviceDirectory;
  /** Local time of the site ahead of UTC: for cameras that state no zone, and for HJ 212. */
  utcOffsetMs: number;
  /** Keys that codecs need of a device; left out: no device has one. */
  secretOf?: NonNullable<CodecOptions['secretOf']>;
  /** Hears of whoever speaks and is not in the registry. */
  strangers?: AcceptDeps['strangers'];
}

/** What the console's summary shows of this stage. */
export interface IngestCounts {
  observations: { acknowledged: number; stored: number };
  frames: number;
  quarantined: number;
  /** Observations that came again, since the process began, by the memory that is the first line. */
  duplicates: number;
  /** Records that a group still has to read, by group. */
  lag: Record<string, number>;
}

/** Ingest at work. `accept` is the seam for every entrance: embedded broker, external broker, gateways. */
export interface Ingest extends Acceptor {
  /** A session of a device began or ended; told to the detectors. Never rejects. */
  session(device: string, event: SessionEvent): Promise<void>;
  counts(): Promise<IngestCounts>;
  health(): { ok: boolean; problems: string[] };
  readonly quarantine: Quarantine;
  /** Quarantined messages once more, as of when they came: see rerun.ts. `by`: who asks, for the record. */
  readonly rerun: Rerunner['rerun'];
  readonly rerunOne: Rerunner['rerunOne'];
  /** Says of a quarantined message that nothing is to be done. */
  dismiss(id: string, resolution: { by: string; reason: string }): Promise<QuarantineEntry>;
  readonly status: DeviceStatuses;
  /** Resolves when all that was accepted is durable. Stop the entrances first. */
  stop(): Promise<void>;
}

/** A stop waits so long for the series store; what is left is carried at the next start. */
const DRAIN_MS = 5_000;

export async function startIngest(config: IngestConfig, deps: IngestDeps): Promise<Ingest> {
  const { stream, series, clock, log, metrics } = deps;
  const quarantine = await openQuarantine(config.quarantine, deps);
  // Counted before anything moves.
  const before = {
    ...(await countStream(stream, (partition) => series.position(TOPICS.observations, partition))),
    frames: await countFrames(stream),
    stored: (await series.totals()).points,
  };
  const writer = await startSeriesWriter({ stream, series, quarantine, log });
  let ended: unknown = null;
  writer.ended.catch((error: unknown) => {
    ended = error;
  });
  const known = knownDevices(deps.directory);
  const way = line(stream);
  const tell = (event: DeviceEvent) =>
    way.append({ key: event.device, value: encodeRecord(event) }, () => undefined);
  const liveness = await openLiveness(config.liveness, config.tickS, {
    directory: deps.directory,
    store: livenessStore(deps.records, log),
    tell,
    startedAt: clock.now(),
    metrics,
  });
  const ways = routes(config, deps);
  const overdue = overdueWatch({ routes: ways, known, quarantine, log });
  const ticker = startTicker(config.tickS, clock, way, (time) => {
    liveness.tick(time);
    overdue(time);
  });
  const trimmer = startTrimmer(config.trim, stream, log);
  const tally: Tally = { messages: 0, observations: 0, duplicates: 0, frames: 0, late: 0 };
  measure(metrics, tally);

  const { accept, acceptInto } = acceptor(config, {
    clock,
    log,
    routes: ways,
    known,
    rate: rateLimit(config.rate, clock),
    line: way,
    pictures: pictures(config, deps),
    quarantine,
    tally,
    inFlight: ticker,
    alive: liveness,
    strangers: deps.strangers ?? { saw: () => undefined },
  });

  return {
    accept,
    acceptInto,
    quarantine,
    dismiss: (id, resolution) => dismissEntry(deps, id, resolution),
    status: deviceStatuses({ liveness, known, series, directory: deps.directory }),
    ...rerunner({ ...deps, accept }),
    async session(device, event) {
      const time = clock.now();
      const sent = tell({ type: 'device', device, time, event });
      liveness.session(device, event, time);
      await sent.catch((error: unknown) =>
        log.warn({ err: error, device, event }, 'a device event was lost'),
      );
    },
    async counts() {
      const acknowledged = before.acknowledged + tally.observations;
      return {
        observations: { acknowledged, stored: before.stored + writer.written },
        frames: before.frames + tally.frames,
        quarantined: quarantine.total(),
        duplicates: tally.duplicates,
        lag: { [SERIES_WRITER]: await writer.lag() },
      };
    },
    health() {
      const problems: string[] = [];
      if (ended !== null) problems.push(`the series writer has stopped: ${String(ended)}`);
      else if (!writer.healthy)
        problems.push('the series store does not take observations: the stream keeps them');
      return { ok: problems.length === 0, problems };
    },
    async stop() {
      ticker.stop();
      await trimmer.stop();
      await way.settled().catch(() => undefined);
      await liveness.close();
      await writer.drain(DRAIN_MS);
      await writer.stop();
      await quarantine.close();
      known.close();
    },
  };
}

function measure(metrics: Metrics, tally: Tally): void {
  const help: Record<keyof Tally, string> = {
    messages: 'Messages that came in',
    observations: 'Observations made durable',
    duplicates: 'Observations and pictures that came again',
    frames: 'Pictures made durable',
    late: 'Observations that came late',
  };
  for (const name of Object.keys(help) as (keyof Tally)[]) {
    new Gauge({
      name: `qianliyan_ingest_${name}_total`,
      help: help[name],
      registers: [metrics],
      collect() {
        this.set(tally[name]);
      },
    });
  }
}
