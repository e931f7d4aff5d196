/**
 * Leads to case systems: at least once, under a stable id.
 *
 *   confirmation ─(one transaction)─▶ outbox ─▶ courier ─signed POST─▶ case system ─2xx─▶ delivered, receipt kept
 *                                       ▲          │
 *                                       └─ backoff ┴─ no 2xx, no answer … until the deadline ─▶ failed (dead letter)
 *
 * The body is a CloudEvents 1.0 event (structured JSON); the headers are those of Standard Webhooks. See docs/alerting.md.
 */
export { Courier } from './courier.ts';
export { openEndpoints } from './endpoints.ts';
export { LeadOutbox, type LeadView, leadView } from './outbox.ts';
