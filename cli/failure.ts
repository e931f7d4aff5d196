import { ERRORS, QianliyanError } from '../contracts/index.ts';

/**
 * What a command says when it fails: a sentence for what we expect (with every problem on a line of its own), the
 * stack only for what we do not.
 */
export function describeFailure(error: unknown): { text: string; exitCode: number } {
  if (!(error instanceof QianliyanError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { text: `unexpected fault: ${text}`, exitCode: 1 };
  }
  const lines = error.problems.map(
    (p) => `  ${p.path || '(top)'}: found ${describeFound(p.found)}; allowed: ${p.allowed}`,
  );
  return {
    text: [`${error.code}: ${error.message}`, ...lines].join('\n'),
    exitCode: ERRORS[error.code].exit,
  };
}

function describeFound(found: unknown): string {
  if (found === undefined) return 'nothing';
  const text = JSON.stringify(found) ?? String(found);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
