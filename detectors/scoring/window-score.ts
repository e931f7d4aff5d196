/**
 * The window-based score of the Numenta Anomaly Benchmark v1.1: an early alert within a labelled window is worth up to
 * one hit, a window without an alert costs, and so does each alerting row outside every window.
 *
 *   value of a row    1 ┤▔▔▔▔▔▔▔▔╲            g(p) = 2 / (1 + e^(5p)) − 1
 *                     0 ┤─────────╲──────
 *                    −1 ┤          ╲▁▁▁▁▁     counted as a false alarm, times the weight fp
 *                        window    behind it
 *
 * Promises: the numbers of the published rule, all windows and series sharing one threshold. A row alerts when its
 * score is at least the threshold. Does not look at the data, only at scores and at which rows lie in windows.
 */

export const PROFILES = {
  standard: { tp: 1, fn: 1, fp: 0.11 },
  lowFp: { tp: 1, fn: 1, fp: 0.22 },
  lowFn: { tp: 1, fn: 2, fp: 0.11 },
} as const;
export type ProfileName = keyof typeof PROFILES;
export type Profile = (typeof PROFILES)[ProfileName];

/** First and last row of a labelled window, both within. */
export type RowWindow = readonly [first: number, last: number];

/** Which row lies where, and what an alert there is worth before weights. */
export interface Geometry {
  rows: number;
  /** Rows at the beginning that never count. */
  skip: number;
  windows: number;
  /** Per row: index of its window, −1 outside. */
  windowOf: Int32Array;
  /** Per row: (0, 1] within a window, [−1, 0) outside. */
  worth: Float64Array;
}

export interface ScoredSeries {
  geometry: Geometry;
  scores: Float64Array;
}

const curve = (p: number): number => (p > 3 ? -1 : 2 / (1 + Math.exp(5 * p)) - 1);
const FIRST_ROW = curve(-1);

export function geometryOf(rows: number, windows: readonly RowWindow[]): Geometry {
  const windowOf = new Int32Array(rows).fill(-1);
  const worth = new Float64Array(rows).fill(-1);
  let next = 0;
  let before: RowWindow | undefined;
  for (let i = 0; i < rows; i++) {
    for (let w = windows[next]; w !== undefined && i > w[1]; w = windows[next]) {
      before = w;
      next++;
    }
    const window = windows[next];
    if (window !== undefined && i >= window[0]) {
      windowOf[i] = next;
      worth[i] = curve(-(window[1] - i + 1) / (window[1] - window[0] + 1)) / FIRST_ROW;
    } else if (before !== undefined) worth[i] = curve((i - before[1]) / (before[1] - before[0]));
  }
  return { rows, skip: Math.min(Math.floor(0.15 * rows), 750), windows: windows.length, windowOf, worth };
}

/** Sum over one series at a threshold, before normalising; and what happened. */
export interface SeriesResult {
  raw: number;
  hit: number;
  /** Alerting rows outside every window. */
  falseAlarms: number;
  /** Alerting rows in all. */
  alarms: number;
}

export function resultAt(series: ScoredSeries, profile: Profile, threshold: number): SeriesResult {
  const { rows, skip, windows, windowOf, worth } = series.geometry;
  const best = new Float64Array(windows).fill(-profile.fn);
  const result: SeriesResult = { raw: 0, hit: 0, falseAlarms: 0, alarms: 0 };
  for (let i = skip; i < rows; i++) {
    if (!((series.scores[i] as number) >= threshold)) continue;
    result.alarms++;
    const window = windowOf[i] as number;
    if (window >= 0) {
      best[window] = Math.max(best[window] as number, profile.tp * (worth[i] as number));
    } else {
      result.falseAlarms++;
      result.raw += profile.fp * (worth[i] as number);
    }
  }
  for (const value of best) {
    result.raw += value;
    if (value > -profile.fn) result.hit++;
  }
  return result;
}

/** 0 = no alerts at all, 100 = every window on its first row and nothing else. NaN without windows. */
export function normalise(raw: number, windows: number, profile: Profile): number {
  return (100 * (raw + profile.fn * windows)) / ((profile.tp + profile.fn) * windows);
}

/** The score of a set at one threshold. */
export function scoreAt(set: readonly ScoredSeries[], profile: Profile, threshold: number): number {
  const raw = set.reduce((sum, series) => sum + resultAt(series, profile, threshold).raw, 0);
  return normalise(raw, countWindows(set), profile);
}

/**
 * The threshold that serves the whole set best, every distinct score being tried, and "no alerts" (Infinity); on a tie
 * the highest.
 */
export function bestThreshold(set: readonly ScoredSeries[], profile: Profile): number {
  const { score, value, window, order } = countedRows(set, profile);
  const held = new Float64Array(countWindows(set)).fill(-profile.fn);
  let gained = 0;
  let most = 0;
  let threshold = Number.POSITIVE_INFINITY;
  for (let k = 0; k < order.length; k++) {
    const i = order[k] as number;
    const w = window[i] as number;
    const worth = value[i] as number;
    if (w < 0) gained += worth;
    else if (worth > (held[w] as number)) {
      gained += worth - (held[w] as number);
      held[w] = worth;
    }
    const isLastOfItsScore = k === order.length - 1 || score[order[k + 1] as number] !== score[i];
    if (isLastOfItsScore && gained > most + 1e-12) {
      most = gained;
      threshold = score[i] as number;
    }
  }
  return threshold;
}

export function countWindows(set: readonly ScoredSeries[]): number {
  return set.reduce((sum, series) => sum + series.geometry.windows, 0);
}

/** All rows of a set that count, windows numbered through, in falling order of score. */
function countedRows(set: readonly ScoredSeries[], profile: Profile) {
  const total = set.reduce((sum, { geometry }) => sum + geometry.rows - geometry.skip, 0);
  const score = new Float64Array(total);
  const value = new Float64Array(total);
  const window = new Int32Array(total);
  let m = 0;
  let windowsBefore = 0;
  for (const { geometry, scores } of set) {
    for (let i = geometry.skip; i < geometry.rows; i++, m++) {
      const w = geometry.windowOf[i] as number;
      score[m] = scores[i] as number;
      window[m] = w < 0 ? -1 : windowsBefore + w;
      value[m] = (geometry.worth[i] as number) * (w < 0 ? profile.fp : profile.tp);
    }
    windowsBefore += geometry.windows;
  }
  const order = Uint32Array.from({ length: total }, (_, i) => i);
  order.sort((a, b) => (score[b] as number) - (score[a] as number));
  return { score, value, window, order };
}
