/**
 * From an alert to a draft case: what a person needs in order to decide.
 *
 *   alert + findings ─▶ facts (when, where, how much)            ─┐
 *   matter ───────────▶ legal bases in force on the day of the act ├─▶ draft, version n ─▶ a person
 *   device's record ──▶ article 41 checklist ─▶ standing           │
 *   matter, place, time ▶ route: the desk it lies on              ─┘
 *
 * One draft an alert. While it is undecided, news rewrites it (version + 1); once decided it never changes again.
 */
export { deviceAt } from './compose.ts';
export { DraftDesk, type DraftOutcome, draftReason, draftRow } from './desk.ts';
