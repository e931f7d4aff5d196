import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type { Records } from '../backbone/index.ts';
import {
  type QuarantineEntry,
  QuarantineReason,
  QuarantineState,
  type QuarantineReason as Reason,
} from '../contracts/index.ts';
import { ENTRY_COLUMNS, type EntryRow, toEntry } from './quarantine-rows.ts';
import type { QuarantineTables } from './quarantine-tables.ts';
import { loadTotals } from './quarantine-totals.ts';

/** Looking into the quarantine: by filter, newest first; works on a running product's records and on a stopped one's. */
export const EntryFilter = z.strictObject({
  reason: QuarantineReason.optional(),
  device: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Id or address of the device that it is about, or that sent it'),
  state: QuarantineState.optional(),
  since: z.coerce.number().int().optional().describe('Received at or after, epoch ms'),
  until: z.coerce.number().int().optional().describe('Received before, epoch ms'),
  text: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Stands in detail, topic, client or device; case does not matter'),
});
export type EntryFilter = z.output<typeof EntryFilter>;

export const ListQuery = EntryFilter.extend({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  before: z.string().max(64).optional().describe('Goes on behind this id'),
});
export type ListQuery = z.output<typeof ListQuery>;

/** A storm at a glance. `entered`, `evicted`, `taken` and `dismissed` count for ever, the others what is held now. */
export const QuarantineSummary = z.strictObject({
  entered: z.number().int(),
  open: z.number().int(),
  taken: z.number().int().describe('Run again, and taken'),
  dismissed: z.number().int(),
  evicted: z.number().int().describe('Had to make room'),
  reasons: z.array(
    z.strictObject({
      reason: QuarantineReason,
      entered: z.number().int(),
      open: z.number().int(),
      first: z.number().int().nullable().describe('Receipt of the oldest open entry, epoch ms'),
      last: z.number().int().nullable().describe('Receipt of the newest open entry, epoch ms'),
    }),
  ),
});
export type QuarantineSummary = z.output<typeof QuarantineSummary>;

export interface QuarantineLook {
  list(query: Partial<ListQuery> & { limit: number }): Promise<QuarantineEntry[]>;
  get(id: string): Promise<QuarantineEntry | null>;
  raw(id: string): Promise<Buffer | null>;
  summary(): Promise<QuarantineSummary>;
}

export function quarantineLook(records: Pick<Records, 'db'>): QuarantineLook {
  const db = records.db.withTables<QuarantineTables>();
  return {
    async list({ limit, before, ...filter }) {
      let query = filtered(db, filter).select(ENTRY_COLUMNS).orderBy('id', 'desc').limit(limit);
      if (before !== undefined) query = query.where('id', '<', before);
      return ((await query.execute()) as EntryRow[]).map(toEntry);
    },
    async get(id) {
      const row = await db
        .selectFrom('quarantine')
        .select(ENTRY_COLUMNS)
        .where('id', '=', id)
        .executeTakeFirst();
      return row === undefined ? null : toEntry(row);
    },
    async raw(id) {
      const row = await db.selectFrom('quarantine').select('raw').where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : Buffer.from(row.raw);
    },
    summary: () => summarize(db),
  };
}

/** `devices`: any of several names of one device. */
export function filtered(
  db: Kysely<QuarantineTables>,
  filter: Partial<EntryFilter> & { devices?: readonly string[] },
) {
  const { reason, device, devices = device === undefined ? undefined : [device], state } = filter;
  let query = db.selectFrom('quarantine');
  if (reason !== undefined) query = query.where('reason', '=', reason);
  if (state !== undefined) query = query.where('state', '=', state);
  if (filter.since !== undefined) query = query.where('received_at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('received_at', '<', filter.until);
  if (devices !== undefined) {
    query = query.where((e) => e.or([e('device', 'in', devices), e('sender', 'in', devices)]));
  }
  if (filter.text !== undefined) {
    const pattern = `%${filter.text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    const shown = sql<string>`lower(detail || ' ' || topic || ' ' || coalesce(client, '') || ' ' || coalesce(device, ''))`;
    query = query.where(sql<boolean>`${shown} like ${pattern} escape '\\'`);
  }
  return query;
}

async function summarize(db: Kysely<QuarantineTables>): Promise<QuarantineSummary> {
  const { entered, evicted, taken, dismissed } = await loadTotals(db);
  const rows = await db
    .selectFrom('quarantine')
    .select(({ fn }) => [
      'reason',
      fn.countAll<number>().as('open'),
      fn.min('received_at').as('first'),
      fn.max('received_at').as('last'),
    ])
    .where('state', '=', 'open')
    .groupBy('reason')
    .execute();
  const held = new Map(rows.map((row) => [row.reason, row]));
  const reasons = QuarantineReason.options.flatMap((reason: Reason) => {
    const row = held.get(reason);
    const ever = entered.get(reason) ?? 0;
    if (row === undefined && ever === 0) return [];
    const at = (time: number | null | undefined) => (time == null ? null : Number(time));
    return [
      { reason, entered: ever, open: Number(row?.open ?? 0), first: at(row?.first), last: at(row?.last) },
    ];
  });
  const sum = (field: 'entered' | 'open') => reasons.reduce((total, one) => total + one[field], 0);
  return { entered: sum('entered'), open: sum('open'), taken, dismissed, evicted, reasons };
}
