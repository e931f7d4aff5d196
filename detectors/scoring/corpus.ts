import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { QianliyanError } from '../../contracts/index.ts';
import { comparableStamp, type Rows, readRows } from './rows.ts';
import type { RowWindow } from './window-score.ts';

/** `windows.json`: file below `data/` → first and last stamp of each labelled window, in order. */
const Windows = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));

export interface LabelledSeries {
  /** Path below the folder's `data/`. */
  file: string;
  rows: Rows;
  windows: RowWindow[];
}

/** Names of the series of a folder, in order, each with the way to load it: one in memory at a time is enough. */
export async function openCorpus(
  folder: string,
): Promise<{ file: string; load: () => Promise<LabelledSeries> }[]> {
  const labels = await readWindows(join(folder, 'windows.json'));
  return Object.keys(labels)
    .sort()
    .map((file) => ({
      file,
      load: async () => {
        const rows = await readRows(join(folder, 'data', file));
        return { file, rows, windows: rowWindows(rows, labels[file] ?? [], file) };
      },
    }));
}

async function readWindows(path: string): Promise<z.infer<typeof Windows>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new QianliyanError('USAGE', `${path} is missing or no JSON`, { cause });
  }
  const parsed = Windows.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({
    path: issue.path.join('.'),
    found: issue.input,
    allowed: issue.message,
  }));
  throw new QianliyanError('USAGE', `${path} does not map files to windows`, { problems });
}

function rowWindows(rows: Rows, windows: readonly [string, string][], file: string): RowWindow[] {
  const rowOf = new Map<string, number>();
  rows.stampTexts.forEach((stamp, i) => {
    const text = comparableStamp(stamp);
    if (!rowOf.has(text)) rowOf.set(text, i);
  });
  return windows.map(([first, last]) => {
    const from = rowOf.get(comparableStamp(first));
    const to = rowOf.get(comparableStamp(last));
    if (from === undefined || to === undefined || to < from) {
      throw new QianliyanError('USAGE', `${file}: the window ${first} … ${last} does not lie on its rows`);
    }
    return [from, to];
  });
}
