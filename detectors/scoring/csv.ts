import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { QianliyanError } from '../../contracts/index.ts';
import { FROZEN_THRESHOLD, PROBATION_ROWS } from '../sensors/anomaly/index.ts';
import { startProgress } from './progress.ts';
import { type Rows, readRows } from './rows.ts';
import { scoreRows } from './series.ts';

export interface ScoreCsvOptions {
  /** Default: the product's frozen threshold. Nothing is swept, so that the result is one of unseen data. */
  threshold?: number;
  /** Name of the label column; a row is labelled when its cell is neither empty, 0, nor false. Default `label`. */
  labelColumn?: string;
}

/** A labelled happening, by rows; both ends are within. */
export interface LabelledEvent {
  first: number;
  last: number;
}

export interface CsvSeriesFigures {
  file: string;
  events: number;
  found: number;
  falseAlarms: number;
  /** Seconds from an event's first labelled row to its first alarm, for each found event. */
  delaysS: number[];
  days: number;
}

/** What `qianliyan score csv` prints. Ratios are null when there is nothing to divide by. */
export interface CsvFigures {
  threshold: number;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  medianDelayS: number | null;
  falseAlarmsPerDay: number | null;
  series: CsvSeriesFigures[];
}

/** Labelled runs with fewer clean rows between them are one event: point labels often flicker. */
const JOIN_ROWS = 10;
/** An alarm up to so many rows behind the last labelled row still belongs to the event. */
const GRACE_ROWS = 10;

/**
 * Runs the anomaly scorer over every CSV below a folder (columns timestamp, value, label) and counts events.
 *
 * An event is a run of labelled rows; runs closer than {@link JOIN_ROWS} are one. An event is found when an alarm lies
 * between its first row and {@link GRACE_ROWS} behind its last; more alarms within it change nothing. An alarm outside
 * every event is false. Rows of the scorer's probation count on neither side.
 *
 * @throws QianliyanError USAGE when the folder has no CSV, or one lacks a column
 */
export async function scoreCsv(dir: string, options: ScoreCsvOptions = {}): Promise<CsvFigures> {
  const threshold = options.threshold ?? FROZEN_THRESHOLD.score;
  const files = await csvFilesBelow(dir);
  const progress = startProgress(`Scoring ${dir}`, files.length);
  const series: CsvSeriesFigures[] = [];
  for (const file of files) {
    const rows = await readRows(join(dir, file), options.labelColumn ?? 'label');
    series.push({ file, ...countEvents(rows, scoreRows(rows), threshold) });
    progress.done(1);
    await breathe();
  }
  progress.end();
  return { threshold, ...inAll(series), series };
}

/** Runs of labelled rows, joined when close. */
export function eventsOf(labels: readonly string[]): LabelledEvent[] {
  const events: LabelledEvent[] = [];
  labels.forEach((label, i) => {
    if (!isLabelled(label)) return;
    const previous = events.at(-1);
    if (previous !== undefined && i - previous.last <= JOIN_ROWS) previous.last = i;
    else events.push({ first: i, last: i });
  });
  return events;
}

function isLabelled(text: string): boolean {
  const number = Number(text);
  return Number.isFinite(number) ? number !== 0 : text.toLowerCase() !== 'false';
}

function countEvents(rows: Rows, scores: Float64Array, threshold: number): Omit<CsvSeriesFigures, 'file'> {
  const events = eventsOf(rows.labelTexts).filter((event) => event.last >= PROBATION_ROWS);
  const delaysS: number[] = [];
  let falseAlarms = 0;
  let at = 0;
  let foundAt = -1;
  for (let i = PROBATION_ROWS; i < scores.length; i++) {
    if (!((scores[i] as number) >= threshold)) continue;
    while (at < events.length && i > (events[at] as LabelledEvent).last + GRACE_ROWS) at++;
    const event = events[at];
    if (event === undefined || i < event.first) falseAlarms++;
    else if (foundAt !== at) {
      foundAt = at;
      delaysS.push(((rows.times[i] as number) - (rows.times[event.first] as number)) / 1000);
    }
  }
  const counted = scores.length > PROBATION_ROWS;
  const days = counted ? ((rows.times.at(-1) ?? 0) - (rows.times[PROBATION_ROWS] ?? 0)) / 86_400_000 : 0;
  return { events: events.length, found: delaysS.length, falseAlarms, delaysS, days };
}

function inAll(series: readonly CsvSeriesFigures[]): Omit<CsvFigures, 'threshold' | 'series'> {
  const sum = (of: (s: CsvSeriesFigures) => number) => series.reduce((total, s) => total + of(s), 0);
  const found = sum((s) => s.found);
  const falseAlarms = sum((s) => s.falseAlarms);
  const precision = ratio(found, found + falseAlarms);
  const recall = ratio(
    found,
    sum((s) => s.events),
  );
  const both = precision !== null && recall !== null && precision + recall > 0;
  return {
    precision,
    recall,
    f1: both ? (2 * precision * recall) / (precision + recall) : null,
    medianDelayS: median(series.flatMap((s) => s.delaysS)),
    falseAlarmsPerDay: ratio(
      falseAlarms,
      sum((s) => s.days),
    ),
  };
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

function median(numbers: readonly number[]): number | null {
  const sorted = [...numbers].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}

async function csvFilesBelow(dir: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(dir, { recursive: true });
  } catch (cause) {
    throw new QianliyanError('USAGE', `${dir} cannot be read`, { cause });
  }
  const files = names.filter((name) => name.endsWith('.csv')).sort();
  if (files.length === 0) throw new QianliyanError('USAGE', `${dir} holds no .csv file`);
  return files;
}
