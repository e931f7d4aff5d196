/**
 * Nothing is decided without a person.
 *
 *   draft ──confirm (named reviewer, version read, unit known)──▶ confirmed ─▶ evidence frozen, lead in the outbox
 *     └────dismiss (named reviewer, version read, reason)───────▶ dismissed
 *
 * transitions.ts is the whole table; every other step is refused with a named reason.
 */
export { Reviewer, type Step } from './reviewer.ts';
export { type Decision, refusalOf, TRANSITIONS } from './transitions.ts';
