import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { type QuarantineEntry, QuarantineReason, QuarantineState } from '../contracts/index.ts';
import type { QuarantineRow } from './quarantine-tables.ts';

/** How an entry of the quarantine lies in its table, and how it is shown. */

/** A message that is not taken, as it comes to the quarantine. */
export interface Suspect {
  reason: QuarantineReason;
  detail: string;
  receivedAt: number;
  topic: string;
  client: string | null;
  /** Id or address of the device that it is about. */
  device: string | null;
  /** The device that proved who it is. */
  sender?: string | null;
  userProperties?: Readonly<Record<string, string>> | undefined;
  payload: Buffer;
  /** Where `payload` is but the head of what came. */
  whole?: { size: number; sha256: string };
}

const DETAIL_CHARACTERS = 1_000;
const TOPIC_CHARACTERS = 512;
const USER_PROPERTIES_CHARACTERS = 16_384;

/** `maxRawBytes`: what is kept of the payload. */
export function toRow(suspect: Suspect, id: string, maxRawBytes: number): QuarantineRow {
  const { reason, detail, receivedAt, topic, client, device, sender = null, payload, whole } = suspect;
  return {
    id,
    reason,
    detail: detail.slice(0, DETAIL_CHARACTERS),
    received_at: receivedAt,
    topic: topic.slice(0, TOPIC_CHARACTERS),
    client,
    device,
    source: sender ?? device ?? client ?? 'unknown',
    size: whole?.size ?? payload.length,
    sha256: whole?.sha256 ?? createHash('sha256').update(payload).digest('hex'),
    // A copy: the payload is a window on a much greater buffer of the connection.
    raw: Buffer.from(payload.subarray(0, maxRawBytes)),
    sender,
    user_properties: propertiesText(suspect.userProperties),
    state: 'open',
    first_reason: reason,
    resolved_at: null,
    resolved_by: null,
    note: null,
    reruns: 0,
    last_rerun_at: null,
  };
}

/** What is too long is cut, which makes it no JSON: such a message is not whole and cannot run again. */
function propertiesText(properties: Suspect['userProperties']): string | null {
  if (properties === undefined || Object.keys(properties).length === 0) return null;
  return JSON.stringify(properties).slice(0, USER_PROPERTIES_CHARACTERS);
}

/** All of an entry but its raw bytes, of which only the number is read. */
export const ENTRY_COLUMNS = [
  'id',
  'reason',
  'first_reason',
  'detail',
  'received_at',
  'topic',
  'client',
  'device',
  'sender',
  'size',
  'sha256',
  'state',
  'resolved_at',
  'resolved_by',
  'note',
  'reruns',
  'last_rerun_at',
  sql<number>`length(raw)`.as('kept'),
] as const;

export type EntryRow = Omit<QuarantineRow, 'raw' | 'source' | 'user_properties'> & { kept: number };

export function toEntry(row: EntryRow): QuarantineEntry {
  const { id, detail, topic, client, device, sender, sha256, note } = row;
  const size = Number(row.size);
  const at = (time: number | null) => (time === null ? null : Number(time));
  return {
    id,
    reason: QuarantineReason.parse(row.reason),
    firstReason: QuarantineReason.parse(row.first_reason ?? row.reason),
    detail,
    receivedAt: Number(row.received_at),
    topic,
    client,
    device,
    sender,
    size,
    sha256,
    truncated: Number(row.kept) < size,
    state: QuarantineState.parse(row.state),
    resolvedAt: at(row.resolved_at),
    resolvedBy: row.resolved_by,
    note,
    reruns: Number(row.reruns),
    lastRerunAt: at(row.last_rerun_at),
  };
}

/** `q` + time + a running number + chance, so that ids sort by time and processes do not collide. */
export function sortableIds(): (receivedAt: number) => string {
  let running = 0;
  return (receivedAt) => {
    running = (running + 1) % 36 ** 4;
    const time = receivedAt.toString(36).padStart(9, '0');
    return `q${time}${running.toString(36).padStart(4, '0')}${randomBytes(3).toString('hex')}`;
  };
}
