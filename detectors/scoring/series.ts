import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { createScorer } from '../sensors/anomaly/index.ts';
import { openCorpus } from './corpus.ts';
import { type PlottedSeries, seriesHtml } from './html.ts';
import { startProgress } from './progress.ts';
import type { Rows } from './rows.ts';
import {
  bestThreshold,
  countWindows,
  geometryOf,
  PROFILES,
  type ProfileName,
  resultAt,
  type ScoredSeries,
  scoreAt,
} from './window-score.ts';

export interface ScoreSeriesOptions {
  /** Frozen threshold; default: the best one for the whole set is swept. */
  threshold?: number;
  /** The profile that the sweep serves. Default standard. */
  profile?: ProfileName;
  /** Folder that gets the score per row, as `timestamp,value,anomaly_score` in files named as in `data/`. */
  out?: string;
  /** File that gets a report with plots, for people. */
  html?: string;
}

type Scores = Record<ProfileName, number>;

/** What `qianliyan score series` prints. Scores as of window-score.ts; null where a set has no windows. */
export interface SeriesFigures {
  threshold: number;
  profiles: Scores;
  series: { file: string; windows: number; hit: number; falseAlarms: number }[];
  alarmsPerDay: number;
  /** Each profile with the threshold that would have been best for it, knowing the labels. */
  best: Record<ProfileName, { threshold: number; score: number }>;
  /** The same per folder, when several were given. */
  sets: { dir: string; profiles: Scores; best: Scores }[];
}

interface Judged extends ScoredSeries {
  dir: string;
  file: string;
  days: number;
}

/**
 * Runs the anomaly scorer over labelled folders (`data/`, `windows.json`) and scores what it says. The scorer sees
 * timestamps and values in order and nothing else: no name, no length, no label.
 *
 * @param dirs one folder, or several that share one threshold
 * @throws QianliyanError USAGE when a folder cannot be read
 */
export async function scoreSeries(
  dirs: string | readonly string[],
  options: ScoreSeriesOptions = {},
): Promise<SeriesFigures> {
  const folders = typeof dirs === 'string' ? [dirs] : dirs;
  const plots: PlottedSeries[] = [];
  const judged = await judgeAll(folders, options, plots);
  const threshold = options.threshold ?? bestThreshold(judged, PROFILES[options.profile ?? 'standard']);
  const figures = figuresAt(judged, folders, threshold);
  if (options.html !== undefined) await writeFile(options.html, seriesHtml(figures, plots));
  return figures;
}

async function judgeAll(
  folders: readonly string[],
  options: ScoreSeriesOptions,
  plots: PlottedSeries[],
): Promise<Judged[]> {
  const judged: Judged[] = [];
  for (const dir of folders) {
    const corpus = await openCorpus(dir);
    const progress = startProgress(`Scoring ${dir}`, corpus.length);
    for (const { file, load } of corpus) {
      const { rows, windows } = await load();
      const scores = scoreRows(rows);
      const geometry = geometryOf(scores.length, windows);
      judged.push({ dir, file, geometry, scores, days: countedDays(rows, geometry.skip) });
      if (options.out !== undefined)
        await writeScores(outFolder(options.out, dir, folders), file, rows, scores);
      if (options.html !== undefined) plots.push({ file, rows, scores, windows });
      progress.done(1);
      await breathe();
    }
    progress.end();
  }
  return judged;
}

/** One score per row, in one pass. A row without a finite value is neither judged nor learnt. */
export function scoreRows(rows: Pick<Rows, 'times' | 'values'>): Float64Array {
  const scorer = createScorer();
  return Float64Array.from(rows.values, (value, i) =>
    Number.isFinite(value) ? scorer.step(rows.times[i] as number, value) : 0,
  );
}

function figuresAt(judged: readonly Judged[], folders: readonly string[], threshold: number): SeriesFigures {
  const results = judged.map((series) => resultAt(series, PROFILES.standard, threshold));
  const alarms = results.reduce((sum, result) => sum + result.alarms, 0);
  const days = judged.reduce((sum, series) => sum + series.days, 0);
  return {
    threshold,
    profiles: perProfile((profile) => scoreAt(judged, PROFILES[profile], threshold)),
    series: judged.map(({ file, geometry }, i) => ({
      file,
      windows: geometry.windows,
      hit: results[i]?.hit ?? 0,
      falseAlarms: results[i]?.falseAlarms ?? 0,
    })),
    alarmsPerDay: days === 0 ? 0 : alarms / days,
    best: perProfile((profile) => {
      const own = bestThreshold(judged, PROFILES[profile]);
      return { threshold: own, score: scoreAt(judged, PROFILES[profile], own) };
    }),
    sets: folders.map((dir) => figuresOfSet(dir, judged, threshold)),
  };
}

function figuresOfSet(dir: string, judged: readonly Judged[], threshold: number) {
  const own = judged.filter((series) => series.dir === dir);
  return {
    dir,
    windows: countWindows(own),
    profiles: perProfile((profile) => scoreAt(own, PROFILES[profile], threshold)),
    best: perProfile((profile) => scoreAt(own, PROFILES[profile], bestThreshold(own, PROFILES[profile]))),
  };
}

function perProfile<T>(of: (profile: ProfileName) => T): Record<ProfileName, T> {
  return { standard: of('standard'), lowFp: of('lowFp'), lowFn: of('lowFn') };
}

function countedDays(rows: Rows, skip: number): number {
  const from = rows.times[skip];
  const to = rows.times[rows.times.length - 1];
  return from === undefined || to === undefined ? 0 : (to - from) / 86_400_000;
}

/** With several folders each gets one of its own name below `out`. */
function outFolder(out: string, dir: string, folders: readonly string[]): string {
  return folders.length === 1 ? out : join(out, basename(dir));
}

async function writeScores(folder: string, file: string, rows: Rows, scores: Float64Array): Promise<void> {
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  const lines = Array.from(scores, (score, i) => `${rows.stampTexts[i]},${rows.valueTexts[i]},${score}`);
  await writeFile(path, `timestamp,value,anomaly_score\n${lines.join('\n')}\n`);
}
