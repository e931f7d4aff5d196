import { createHash } from 'node:crypto';
import type { Clock } from '../../backbone/index.ts';
import { type DraftCase, type LeadEvent, QianliyanError } from '../../contracts/index.ts';
import { appendAudit, canonical } from '../audit/index.ts';
import type { AlertingConfig } from '../config.ts';
import type { LeadOutbox } from '../deliver/index.ts';
import { draftRow } from '../draft/index.ts';
import type { Evidence, EvidenceArchive } from '../evidence/index.ts';
import type { Metrics } from '../metrics.ts';
import type { EventLog, NewEvent } from '../store/events.ts';
import { localRfc3339 } from '../store/local-time.ts';
import type { Db, Tx } from '../store/tables.ts';
import { type Decision, refusalOf, refuse, TRANSITIONS } from './transitions.ts';

/** What a person decided, and who they are. */
export interface Step {
  draft: string;
  decision: Decision;
  /** The version that they read. */
  version: number;
  reason: string;
  who: string;
  /** Address of the request. */
  via: string | null;
}

export interface ReviewerParts {
  db: Db;
  clock: Clock;
  metrics: Metrics;
  events: EventLog;
  archive: EvidenceArchive;
  outbox: LeadOutbox;
  config: AlertingConfig;
  utcOffsetMinutes: number;
}

/**
 * Takes a person's decision. Promises: state, evidence, lead, audit and events change together or not at all; of two who
 * decide the same version one gets CONFLICT or ILLEGAL_TRANSITION; a refusal has no effect.
 */
export class Reviewer {
  readonly #parts: ReviewerParts;

  constructor(parts: ReviewerParts) {
    this.#parts = parts;
  }

  /** @throws QianliyanError NOT_FOUND, ILLEGAL_TRANSITION, CONFLICT, REQUEST_INVALID, STORE_UNAVAILABLE */
  async decide(step: Step): Promise<DraftCase> {
    const { db, archive, events, metrics, outbox } = this.#parts;
    const seen = await readDraft(db, step.draft);
    check(seen, step);
    // Outside the transaction: it reads pictures and readings, and writes only what has its own hash for a name.
    const evidence = step.decision === 'confirm' ? await archive.gather(seen) : null;
    const decided = await db.transaction().execute(async (tx) => {
      const draft = await readDraft(tx, step.draft);
      check(draft, step);
      return this.#write(tx, draft, step, evidence);
    });
    events.ring();
    metrics.decisions.inc({ decision: decided.state });
    if (decided.lead !== null) outbox.wake();
    return decided;
  }

  async #write(tx: Tx, draft: DraftCase, step: Step, evidence: Evidence | null): Promise<DraftCase> {
    const { clock, archive, outbox, events } = this.#parts;
    const now = clock.now();
    const decided = decide(draft, step, now);
    await saveDecision(tx, decided);
    const told: NewEvent[] = [{ type: 'draft-case', body: JSON.stringify(decided) }];
    if (evidence !== null) {
      await archive.freeze(tx, decided.id, evidence);
      const lead = await outbox.put(tx, this.#leadEvent(decided, evidence, now));
      told.push({ type: 'lead', body: JSON.stringify(lead) });
    }
    await appendAudit(tx, now, [
      {
        who: step.who,
        via: step.via,
        action: `draft.${decided.state}`,
        subject: draft.id,
        before: { state: draft.state, version: draft.version },
        after: {
          state: decided.state,
          version: decided.version,
          reason: step.reason,
          unit: decided.route.unit,
          lead: decided.lead,
          ...(evidence && { evidence: createHash('sha256').update(canonical(evidence)).digest('hex') }),
        },
      },
    ]);
    await events.add(tx, told);
    return decided;
  }

  #leadEvent(draft: DraftCase, { items }: Evidence, now: number): LeadEvent {
    const { config, utcOffsetMinutes } = this.#parts;
    const base = config.publicUrl.replace(/\/$/, '');
    const lead = draft.lead ?? '';
    return {
      specversion: '1.0',
      id: lead,
      source: base,
      type: 'cn.qianliyan.lead.created.v1',
      subject: draft.number,
      time: localRfc3339(now, utcOffsetMinutes),
      datacontenttype: 'application/json',
      data: {
        lead,
        unit: draft.route.unit ?? '',
        draftCase: draft,
        evidence: items.map(({ name, sha256, mediaType }) => ({
          name,
          sha256,
          mediaType,
          url: `${base}/api/evidence/${sha256}`,
        })),
      },
    };
  }
}

function check(draft: DraftCase, step: Step): void {
  const refusal = refusalOf(draft, step);
  if (refusal !== null) refuse(draft, refusal, step);
}

function decide(draft: DraftCase, { decision, who, reason }: Step, now: number): DraftCase {
  const state = TRANSITIONS[draft.state][decision];
  if (state !== 'confirmed' && state !== 'dismissed')
    throw new QianliyanError('ILLEGAL_TRANSITION', draft.id);
  return {
    ...draft,
    state,
    version: draft.version + 1,
    review: { by: who, at: now, decision: state, reason: reason.trim() },
    lead: state === 'confirmed' ? leadId(draft.id) : null,
  };
}

/** Stable: a lead has one id for ever, over every retry and restart. */
function leadId(draft: string): string {
  return `l_${createHash('sha256').update(draft).digest('hex').slice(0, 24)}`;
}

async function readDraft(db: Db | Tx, id: string): Promise<DraftCase> {
  const row = await db
    .selectFrom('alerting_drafts')
    .select('body')
    .where('id', '=', id)
    .where('merged_into', 'is', null)
    .executeTakeFirst();
  if (row === undefined) throw new QianliyanError('NOT_FOUND', `no draft case ${id}`);
  return JSON.parse(row.body) as DraftCase;
}

async function saveDecision(tx: Tx, draft: DraftCase): Promise<void> {
  const { state, unit, version, body } = draftRow(draft, 0);
  await tx
    .updateTable('alerting_drafts')
    .set({ state, unit, version, body })
    .where('id', '=', draft.id)
    .execute();
  // Over and decided: nothing that comes later is added to it.
  await tx
    .updateTable('alerting_alerts')
    .set({ settled: 1 })
    .where('id', '=', draft.alert)
    .where('state', '=', 'resolved')
    .execute();
}
