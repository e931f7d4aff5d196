/**
 * From findings to alerts: one alert a happening, exactly once.
 *
 *   findings ─▶ last revision of each ─▶ neighbours of the same fingerprint ─▶ happenings ─▶ alerts ─┐
 *                 (older than stored:     (stored findings and alerts that     (spans that            ├▶ one
 *                  nothing changes)        touch in time)                       touch are one)        │  transaction
 *   place in the stream ──────────────────────────────────────────────────────────────────────────────┘
 *
 * intake.ts   the transaction          happenings.ts  which findings are one happening (pure)
 * settle.ts   reads and arranges       compose.ts     the alert that a set of findings makes (pure)
 * write.ts    writes what changes      store.ts       rows, many at a time
 */
export { acknowledge } from './acknowledge.ts';
export { fingerprintOf } from './fingerprint.ts';
export { Intake } from './intake.ts';
