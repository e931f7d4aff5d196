import type { Blobs, DeviceDirectory, Log, Series } from '../../backbone/index.ts';
import {
  type DraftCase,
  type FrameEvidence,
  parseDatastreamId,
  QianliyanError,
  type RegisteredDevice,
} from '../../contracts/index.ts';
import { readingsCsv } from './csv.ts';
import { mediaTypeOf } from './media-type.ts';

/** One piece of evidence: its bytes lie in the blob store under their SHA-256. */
export interface EvidenceItem {
  name: string;
  mediaType: string;
  sha256: string;
  bytes: number;
}

export interface Evidence {
  items: EvidenceItem[];
  /** Names of what the stores no longer hold. */
  missing: string[];
}

/** Draws what was found onto a copy of a picture; the original stays as it is. Wired in `cli/`. */
export type DrawFrame = (
  original: Uint8Array,
  evidence: FrameEvidence,
) => Promise<{ bytes: Uint8Array; mediaType: string }>;

export interface EvidenceSources {
  series: Series;
  blobs: Blobs;
  directory: DeviceDirectory;
  draw: DrawFrame;
  log: Log;
  utcOffsetMinutes: number;
  contextMs: number;
}

/** At most so many readings a datastream, and pictures a draft case. */
const MAX_READINGS = 100_000;
const MAX_FRAMES = 200;

/**
 * Gathers what a draft case rests on: readings of the time and its context, original pictures and drawn copies, each
 * finding whole (detector, version, parameters, input: the recipe to compute it again), the device's record at capture time.
 * The same data give the same items with the same hashes.
 * @throws QianliyanError STORE_UNAVAILABLE when the series store holds no reading yet of what the findings rest on
 */
export async function collectEvidence(draft: DraftCase, sources: EvidenceSources): Promise<Evidence> {
  const evidence: Evidence = { items: [], missing: [] };
  const keep = async (name: string, bytes: Uint8Array, mediaType: string) => {
    const sha256 = await sources.blobs.put(bytes);
    evidence.items.push({ name, mediaType, sha256, bytes: bytes.byteLength });
  };
  const record = sources.directory.at(draft.device, draft.findings[0]?.trigger.time ?? draft.occurred.from);
  for (const finding of draft.findings)
    await keep(`findings/${finding.id}.json`, json(finding), 'application/json');
  if (record !== undefined) await keep('device.json', json(record), 'application/json');
  for (const datastream of datastreamsOf(draft)) {
    const csv = await readings(draft, datastream, record, sources);
    await keep(
      `readings/${datastream.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.csv`,
      csv,
      'text/csv; charset=utf-8',
    );
  }
  for (const frame of framesOf(draft)) await pictures(frame, sources, keep, evidence.missing);
  evidence.items.sort((a, b) => (a.name < b.name ? -1 : 1));
  return evidence;
}

function datastreamsOf(draft: DraftCase): string[] {
  return [...new Set(draft.findings.flatMap((f) => f.input.datastreams))].sort();
}

/** Each picture once, by time. */
function framesOf(draft: DraftCase): FrameEvidence[] {
  const frames = new Map(draft.findings.flatMap((f) => f.input.frames).map((frame) => [frame.blob, frame]));
  return [...frames.values()].sort((a, b) => a.time - b.time).slice(0, MAX_FRAMES);
}

async function readings(
  draft: DraftCase,
  datastream: string,
  device: RegisteredDevice | undefined,
  { series, contextMs, utcOffsetMinutes }: EvidenceSources,
): Promise<Uint8Array> {
  const points = await series.range({
    datastream,
    from: draft.occurred.from - contextMs,
    to: draft.occurred.to + contextMs,
    limit: MAX_READINGS,
  });
  // That a silent device has no reading is the finding; anything else rests on readings that must be there.
  const silent = draft.findings.every((f) => f.kind === 'device-silent');
  if (points.length === 0 && !silent) {
    throw new QianliyanError(
      'STORE_UNAVAILABLE',
      `the readings of ${datastream} have not reached the series store yet`,
    );
  }
  const { property, statistic } = parseDatastreamId(datastream);
  const unit =
    device?.datastreams.find((d) => d.property === property && d.statistic === statistic)?.unit ?? null;
  return new TextEncoder().encode(readingsCsv(points, { unit, utcOffsetMinutes }));
}

async function pictures(
  frame: FrameEvidence,
  { blobs, draw, log }: EvidenceSources,
  keep: (name: string, bytes: Uint8Array, mediaType: string) => Promise<void>,
  missing: string[],
): Promise<void> {
  const name = `frames/${frame.time}-${frame.blob.slice(0, 8)}`;
  const original = await blobs.get(frame.blob);
  if (original === null) {
    missing.push(`${name} (${frame.blob})`);
    return;
  }
  const mediaType = mediaTypeOf(original);
  await keep(`${name}.${extension(mediaType)}`, original, mediaType);
  try {
    const drawn = await draw(original, frame);
    await keep(`${name}-drawn.${extension(drawn.mediaType)}`, drawn.bytes, drawn.mediaType);
  } catch (err) {
    // The original is the evidence; the drawn copy only helps to see.
    log.warn({ err, blob: frame.blob }, 'what was found could not be drawn on the picture');
    missing.push(`${name}-drawn`);
  }
}

function extension(mediaType: string): string {
  return mediaType === 'image/jpeg' ? 'jpg' : (mediaType.split('/')[1] ?? 'bin');
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
