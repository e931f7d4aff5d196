import { describeProblems } from '../backbone/validation.ts';
import { ERRORS, QianliyanError } from '../contracts/index.ts';

/**
 * What a command says when it fails: a sentence for what we expect (with every problem on a line of its own), the
 * stack only for what we do not.
 */
export function describeFailure(failure: unknown): { text: string; exitCode: number } {
  const error = isDiskFull(failure) ? new QianliyanError('STORE_FULL', failure.message) : failure;
  if (!(error instanceof QianliyanError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { text: `unexpected fault: ${text}`, exitCode: 1 };
  }
  // Some messages hold the list of problems already: it is said once.
  const listed = describeProblems(error.problems);
  const sentence = error.message.replace(listed, '').replace(/[:\s]+$/, '');
  const lines = listed === '' ? [] : listed.split('\n').map((line) => `  ${line}`);
  return { text: [`${error.code}: ${sentence}`, ...lines].join('\n'), exitCode: ERRORS[error.code].exit };
}

/** Whichever store meets it first, at a start on a disk without room. */
function isDiskFull(failure: unknown): failure is Error {
  return failure instanceof Error && Reflect.get(failure, 'code') === 'ENOSPC';
}
