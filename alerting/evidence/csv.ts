import type { SeriesPoint } from '../../backbone/index.ts';
import { localRfc3339 } from '../store/local-time.ts';

/** Readings as CSV (RFC 4180, UTF-8): one line a value, local time with its offset and epoch ms beside it. */
export function readingsCsv(
  points: readonly SeriesPoint[],
  of: { unit: string | null; utcOffsetMinutes: number },
): string {
  const head = 'time,epoch_ms,value,unit,quality,received_at';
  const lines = points.map((p) =>
    [
      localRfc3339(p.time, of.utcOffsetMinutes),
      p.time,
      p.value,
      cell(of.unit ?? ''),
      p.quality,
      localRfc3339(p.receivedAt, of.utcOffsetMinutes),
    ].join(','),
  );
  return `${[head, ...lines].join('\r\n')}\r\n`;
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
