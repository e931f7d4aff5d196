import { Counter, type Registry as Metrics } from 'prom-client';
import { z } from 'zod';
import type { Clock, DeviceDirectory, Records } from '../backbone/index.ts';
import type { QuarantineEntry } from '../contracts/index.ts';
import type { Again, DeviceMessage } from '../devices/message.ts';
import type { Accept } from './accept.ts';
import { filtered } from './quarantine-look.ts';
import { type Looked, notThere, writeLooked } from './quarantine-resolve.ts';
import { ENTRY_COLUMNS, type EntryRow, toEntry } from './quarantine-rows.ts';
import type { QuarantineTables } from './quarantine-tables.ts';
import type { Receipt } from './receipt.ts';
import {
  count,
  emptyReport,
  type NotRun,
  type Outcome,
  type RerunReport,
  RerunRequest,
} from './rerun-report.ts';

/**
 * Runs quarantined messages again, after the registry was put right.
 *
 *   open entries, oldest first ─▶ accept, as of their first receipt ─┬─▶ nothing left to refuse: entry is `rerun-taken`
 *                                                                    └─▶ entry stays, with the reason that holds now
 *
 * Promises: the same way in as for a new message, so that nothing gets in that would not have then; what is known already
 * is counted and not stored twice, so that a re-run may be repeated, also after a crash in its midst; no entry is made or
 * deleted; whatever is written down as taken is durable. One re-run at a time, CHUNK entries under way. Does not run what
 * is not whole (its raw bytes were cut), nor what meets another value under its key: that one is stored, and stays.
 */
export interface Rerunner {
  /** @throws the store's error when one is away: what the report would have counted so far is taken and written down. */
  rerun(request: RerunRequest, by: string): Promise<RerunReport>;
  /** @throws QianliyanError NOT_FOUND */
  rerunOne(id: string, by: string): Promise<RerunReport>;
}

export interface RerunDeps {
  records: Pick<Records, 'db'>;
  clock: Clock;
  directory: Pick<DeviceDirectory, 'find'>;
  accept: Accept;
  metrics: Metrics;
}

const CHUNK = 50;

type Row = EntryRow & { raw: Buffer; user_properties: string | null };

export function rerunner(deps: RerunDeps): Rerunner {
  const db = deps.records.db.withTables<QuarantineTables>();
  const outcomes = new Counter({
    name: 'qianliyan_quarantine_reruns_total',
    help: 'Quarantined messages that were run again, by outcome',
    labelNames: ['outcome'],
    registers: [deps.metrics],
  });
  let before: Promise<unknown> = Promise.resolve();

  /** One after the other: two at once would count each other's readings as known. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = before.then(work);
    before = mine.catch(() => undefined);
    return mine;
  }

  async function run(request: z.output<typeof RerunRequest>, by: string): Promise<RerunReport> {
    const report = emptyReport();
    let { after } = request;
    while (report.looked < request.limit) {
      const wanted = Math.min(CHUNK, request.limit - report.looked);
      const rows = await load(request, after, wanted);
      await runChunk(rows, report, by);
      after = rows.at(-1)?.id;
      report.next = rows.length < wanted ? null : (after ?? null);
      if (report.next === null) break;
    }
    return report;
  }

  function load(request: z.output<typeof RerunRequest>, after: string | undefined, most: number) {
    const { ids, device = request.name } = request;
    // Unless entries are named, only those that wait are looked at.
    let query = filtered(db, {
      ...request,
      ...(ids === undefined && { state: 'open' as const }),
      ...named(device),
    });
    if (ids !== undefined) query = query.where('id', 'in', ids);
    if (after !== undefined) query = query.where('id', '>', after);
    const columns = [...ENTRY_COLUMNS, 'raw', 'user_properties'] as const;
    return query.select(columns).orderBy('id').limit(most).execute() as Promise<Row[]>;
  }

  /** A device may have spoken under any of its addresses before it was known. */
  function named(device: string | undefined) {
    if (device === undefined) return {};
    const known = deps.directory.find(device);
    return { devices: known === undefined ? [device] : [...new Set([device, known.id, ...known.addresses])] };
  }

  async function runChunk(rows: readonly Row[], report: RerunReport, by: string): Promise<void> {
    const settled = await Promise.allSettled(rows.map(runEntry));
    const done = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const looked = done.flatMap((outcome): Looked[] =>
      outcome.kind === 'not-run' ? [] : [wordsFor(outcome)],
    );
    await writeLooked(db, looked, by, deps.clock.now());
    for (const outcome of done) count(report, outcome);
    for (const { kind } of done) outcomes.inc({ outcome: kind });
    const failure = settled.find((one) => one.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  }

  async function runEntry(row: Row): Promise<Outcome> {
    const entry = toEntry(row);
    const message = messageOf(entry, row);
    if (typeof message === 'string') return { entry, kind: 'not-run', reason: message };
    const receipt = await deps.accept(message);
    return judge(entry, receipt, message.again.refused);
  }

  async function judge(
    entry: QuarantineEntry,
    { taken, duplicates }: Receipt,
    refused: Again['refused'],
  ): Promise<Outcome> {
    const left = taken + duplicates === 0 ? refused : await notElsewhere(entry, refused);
    const [why] = left;
    if (why !== undefined) {
      return { entry, kind: 'refused', reason: why.reason, detail: why.detail, readings: taken };
    }
    return { entry, kind: taken > 0 ? 'taken' : 'duplicate', readings: taken };
  }

  /** A message that is bad in two ways has two entries: each stands for its own fault only. */
  async function notElsewhere(entry: QuarantineEntry, refused: Again['refused']): Promise<Again['refused']> {
    if (refused.length === 0) return refused;
    const siblings = await filtered(db, {
      state: 'open',
      since: entry.receivedAt,
      until: entry.receivedAt + 1,
    })
      .select(['reason', 'device'])
      .where('sha256', '=', entry.sha256)
      .where('topic', '=', entry.topic)
      .where('id', '!=', entry.id)
      .execute();
    const isElsewhere = ({ reason, device }: Again['refused'][number]) =>
      !(reason === entry.reason && device === entry.device) &&
      siblings.some((one) => one.reason === reason && one.device === device);
    return refused.filter((one) => !isElsewhere(one));
  }

  return {
    rerun: (request, by) => inTurn(() => run(RerunRequest.parse(request), by)),
    rerunOne: (id, by) =>
      inTurn(async () => {
        const report = await run(RerunRequest.parse({ ids: [id] }), by);
        if (report.looked === 0) throw notThere(id);
        return report;
      }),
  };
}

function messageOf(entry: QuarantineEntry, row: Row): NotRun | (DeviceMessage & { again: Again }) {
  const { state, topic, reason, sender, receivedAt, client } = entry;
  if (state !== 'open') return 'resolved-already';
  if (topic === '') return 'not-a-message';
  if (reason === 'duplicate-conflict') return 'conflict';
  // Written before senders were: believing the topic would let the pretender in.
  if (reason === 'device-mismatch' && sender === null) return 'sender-unknown';
  const userProperties = propertiesOf(row.user_properties);
  if (entry.truncated || userProperties === null) return 'truncated';
  return {
    topic,
    payload: Buffer.from(row.raw),
    clientId: client,
    authenticatedDevice: sender,
    userProperties,
    again: { receivedAt, refused: [] },
  };
}

/** Null: they were too long to be kept whole. */
function propertiesOf(text: string | null): Record<string, string> | null {
  if (text === null) return {};
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function wordsFor(outcome: Exclude<Outcome, { kind: 'not-run' }>): Looked {
  const { id } = outcome.entry;
  if (outcome.kind === 'refused') return { id, why: { reason: outcome.reason, detail: outcome.detail } };
  const { readings } = outcome;
  return {
    id,
    taken: readings > 0 ? `run again: ${readings} taken` : 'run again: all of it was known already',
  };
}
