/**
 * Every step leaves a trace.
 *
 *   step ──in its own transaction──▶ entry n { who, when, from where, what, before, after, hash of entry n-1 } → hash n
 *
 * The table takes no update and no delete (triggers). `verifyAudit` names the first entry that was changed, taken out or
 * cut off. Who owns the database file can rewrite the whole chain: writing down the head hash elsewhere is the remedy.
 */
export { canonical } from './canonical.ts';
export { type AuditEntry, type AuditVerdict, appendAudit, verifyAudit } from './trail.ts';
