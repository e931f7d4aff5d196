import { type DraftCase, type DraftState, QianliyanError } from '../../contracts/index.ts';

export type Decision = 'confirm' | 'dismiss';

/** The whole state machine of a draft case. What is not in the table is refused. */
export const TRANSITIONS: Record<DraftState, Partial<Record<Decision, DraftState>>> = {
  draft: { confirm: 'confirmed', dismiss: 'dismissed' },
  confirmed: {},
  dismissed: {},
};

/** Why a step is refused; log, API and screen show the same word. */
export type Refusal = 'already-decided' | 'no-unit' | 'reason-required' | 'other-version';

/** The reason why a draft in this state cannot be decided so; null = it can. */
export function refusalOf(
  draft: Pick<DraftCase, 'state' | 'version' | 'route'>,
  step: { decision: Decision; version: number; reason: string },
): Refusal | null {
  if (TRANSITIONS[draft.state][step.decision] === undefined) return 'already-decided';
  if (draft.version !== step.version) return 'other-version';
  if (step.decision === 'dismiss' && step.reason.trim() === '') return 'reason-required';
  if (step.decision === 'confirm' && draft.route.unit === null) return 'no-unit';
  return null;
}

/** @throws QianliyanError ILLEGAL_TRANSITION, CONFLICT or REQUEST_INVALID, with the named reason as a problem */
export function refuse(
  draft: DraftCase,
  refusal: Refusal,
  step: { decision: Decision; version: number },
): never {
  const problem = (path: string, found: unknown, allowed: string) => ({
    problems: [{ path, found, allowed }],
  });
  switch (refusal) {
    case 'already-decided':
      throw new QianliyanError(
        'ILLEGAL_TRANSITION',
        `already-decided: ${draft.number} was ${draft.state} by ${draft.review?.by ?? '?'}`,
        problem('state', draft.state, `${step.decision} is possible from: draft`),
      );
    case 'no-unit':
      throw new QianliyanError(
        'ILLEGAL_TRANSITION',
        `no-unit: ${draft.number} has no responsible unit (${draft.route.reason}), so nobody could receive the lead`,
        problem('route.unit', null, 'a unit; mend the assignments, or dismiss with a reason'),
      );
    case 'other-version':
      throw new QianliyanError(
        'CONFLICT',
        `other-version: ${draft.number} is at version ${draft.version}`,
        problem('version', step.version, `${draft.version}, after reading it again`),
      );
    case 'reason-required':
      throw new QianliyanError(
        'REQUEST_INVALID',
        'reason-required: a dismissal states its reason',
        problem('reason', '', 'a sentence'),
      );
  }
}
