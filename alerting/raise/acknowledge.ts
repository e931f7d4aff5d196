import type { Clock } from '../../backbone/index.ts';
import { type Alert, QianliyanError } from '../../contracts/index.ts';
import { appendAudit } from '../audit/index.ts';
import type { EventLog } from '../store/events.ts';
import type { Db } from '../store/tables.ts';

/**
 * A person has seen an alert. Holds until it is resolved; when it comes again it has to be acknowledged anew. Doing it
 * twice changes nothing: the first one stays on record.
 * @throws QianliyanError NOT_FOUND, ILLEGAL_TRANSITION when it is resolved already
 */
export async function acknowledge(
  parts: { db: Db; clock: Clock; events: EventLog },
  step: { alert: string; who: string; via: string | null },
): Promise<Alert> {
  const { db, clock, events } = parts;
  const acknowledged = await db.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('alerting_alerts')
      .select('body')
      .where('id', '=', step.alert)
      .where('merged_into', 'is', null)
      .executeTakeFirst();
    if (row === undefined) throw new QianliyanError('NOT_FOUND', `no alert ${step.alert}`);
    const before = JSON.parse(row.body) as Alert;
    if (before.state === 'acknowledged') return before;
    if (before.state === 'resolved') {
      const problems = [{ path: 'state', found: before.state, allowed: 'open' }];
      throw new QianliyanError('ILLEGAL_TRANSITION', `already-resolved: ${before.id}`, { problems });
    }
    const now = clock.now();
    const alert: Alert = { ...before, state: 'acknowledged', acknowledgedAt: now, acknowledgedBy: step.who };
    await tx
      .updateTable('alerting_alerts')
      .set({ state: alert.state, body: JSON.stringify(alert) })
      .where('id', '=', alert.id)
      .execute();
    const entry = { who: step.who, via: step.via, action: 'alert.acknowledged', subject: alert.id };
    await appendAudit(tx, now, [
      { ...entry, before: { state: before.state }, after: { state: alert.state } },
    ]);
    await events.add(tx, [{ type: 'alert', body: JSON.stringify(alert) }]);
    return alert;
  });
  events.ring();
  return acknowledged;
}
