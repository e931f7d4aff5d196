/**
 * Alerting: from findings to alerts, draft cases and leads, and the HTTP API.
 *
 *   findings ─▶ raise ─▶ alert ─▶ draft ─▶ draft case ─▶ review ─▶ lead ─▶ deliver ─▶ case system
 *   (stream)     │                 │ route: whose matter   (person)    (outbox)
 *                │                 │ evidence: what it rests on
 *                └────── one SQLite transaction a batch: alerts, drafts, audit, events, place in the stream
 *
 *   1. raise/     findings → alerts, one a happening, exactly once
 *   2. draft/     alert → draft case: facts, law in force then, article 41 checklist
 *   3. route/     matter × place × time → responsible unit
 *   4. evidence/  readings, pictures, recipes, device record, each under its SHA-256
 *   5. review/    draft → confirmed | dismissed, by a named person
 *   6. deliver/   outbox → signed webhook, at least once
 *   7. audit/     append-only, hash-chained
 *   8. access/    accounts, sessions, who may do what
 *   9. api/       HTTP API, event stream, OpenAPI
 *   store/        tables, migrations, counters, event log
 */
export { demoAccessProblems } from './access/index.ts';
export { type Counts, consoleFiles } from './api/index.ts';
export { type AuditEntry, type AuditVerdict, appendAudit, verifyAudit } from './audit/index.ts';
export { AlertingConfig } from './config.ts';
export type { DrawFrame } from './evidence/index.ts';
export { type RouteReport, Router, routeTest } from './route/index.ts';
export { ALERTING_GROUP, type Alerting, type AlertingDeps, startAlerting } from './start.ts';
export { alertingMigrations } from './store/migrations.ts';
export { type AlertingTables, tables as alertingTables } from './store/tables.ts';
