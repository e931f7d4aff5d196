import type { QuarantineReason } from '../contracts/index.ts';
import { type Reading, type Rejected, shown } from '../devices/codecs/index.ts';
import type { IngestConfig } from './config.ts';
import type { TakenReadings } from './encode-batch.ts';
import { type KnownDevice, streamOf } from './known-devices.ts';

/**
 * Holds readings against the registry and the clock. Each reading is judged by itself: of a message with one bad value
 * of five the four good ones are taken, and the bad one goes to quarantine with the whole message beside it. So nothing
 * is lost (the raw message is there), nothing is invented, and one broken probe does not blind a whole station.
 */
export interface Checked {
  taken: TakenReadings;
  /** Readings that are known already, with the same content. */
  duplicates: number;
  late: boolean;
  /** Newest time of the instant values taken; 0 when there are none. */
  newestInstant: number;
  /** Empty for nearly all messages. */
  rejected: Rejected[];
}

export type TimeLimits = Pick<IngestConfig, 'maxClockAheadS' | 'maxAgeDays' | 'lateAfterS'>;

const NONE: Rejected[] = [];

export function checkReadings(
  known: KnownDevice,
  readings: readonly Reading[],
  receivedAt: number,
  limits: TimeLimits,
): Checked {
  const taken: TakenReadings = { readings: [], streams: [] };
  const checked: Checked = { taken, duplicates: 0, late: false, newestInstant: 0, rejected: NONE };
  const latest = receivedAt + limits.maxClockAheadS * 1_000;
  const earliest = receivedAt - limits.maxAgeDays * 86_400_000;
  const lateBefore = receivedAt - limits.lateAfterS * 1_000;
  for (const reading of readings) {
    const { property, statistic, time, value, unit, quality } = reading;
    const stream = streamOf(known, property, statistic);
    if (stream === undefined) {
      reject(checked, 'property-undeclared', reading, undeclared(known, statistic));
    } else if (unit !== null && stream.unit !== null && unit !== stream.unit) {
      reject(
        checked,
        'unit-mismatch',
        reading,
        `unit ${shown(unit)} found, ${shown(stream.unit)} is declared`,
      );
    } else if (!(value >= stream.min && value <= stream.max)) {
      const reason = Number.isFinite(value) ? 'value-out-of-range' : 'value-not-finite';
      reject(checked, reason, reading, `the physical range is ${stream.min} to ${stream.max}`);
    } else if (!(time <= latest)) {
      reject(checked, 'time-future', reading, `${rfc3339(latest)} is the latest that is allowed`);
    } else if (time < earliest) {
      reject(checked, 'time-past', reading, `${rfc3339(earliest)} is the earliest that is allowed`);
    } else {
      const seen = stream.recent.see(time, value, quality);
      if (seen === 'new') {
        taken.readings.push(reading);
        taken.streams.push(stream);
        if (time < lateBefore) checked.late = true;
        if (statistic === 'instant' && time > checked.newestInstant) checked.newestInstant = time;
      } else if (seen === 'same') checked.duplicates += 1;
      else {
        const before = stream.recent.valueAt(time);
        reject(checked, 'duplicate-conflict', reading, `${before} is stored for that time and stays`);
      }
    }
  }
  return checked;
}

function reject(checked: Checked, reason: QuarantineReason, reading: Reading, rule: string): void {
  if (checked.rejected === NONE) checked.rejected = [];
  const { property, statistic, value, time } = reading;
  const name = statistic === 'instant' ? property : `${property}@${statistic}`;
  const detail = `readings.${name}: ${value} at ${rfc3339(time)}; ${rule}`;
  checked.rejected.push({ reason, detail });
}

function undeclared(known: KnownDevice, statistic: string): string {
  const names = statistic === 'instant' ? [...known.instant.keys()] : [...known.others.keys()];
  return `${known.device.id} declares ${names.join(', ') || 'no such value'}`;
}

/** Any number: what a broken clock says may be no time at all. */
function rfc3339(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}
