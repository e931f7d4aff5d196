import { writeFile } from 'node:fs/promises';
import type { Violation } from './scenarios/index.ts';
import { rfc3339 } from './time.ts';

/** Writes the ground truth as JSON, times readable, one violation after the other. */
export async function writeTruth(file: string, truth: readonly Violation[]): Promise<void> {
  const rows = truth.map((v) => ({
    ...v,
    from: rfc3339(v.from),
    to: rfc3339(v.to),
    findableBy: rfc3339(v.findableBy),
  }));
  await writeFile(file, `${JSON.stringify({ violations: rows }, null, 2)}\n`);
}
