/**
 * How good is the anomaly detector? The functions behind `qianliyan score series` and `qianliyan score csv`.
 *
 *   DIR/data/**.csv ──▶ rows ──▶ scorer ──score per row──┬──▶ --out files
 *   DIR/windows.json ──▶ geometry ───────────────────────┴──▶ window score, threshold ──▶ figures, --html
 *
 * 1. rows.ts, corpus.ts   what lies in the folders
 * 2. series.ts            labelled windows: the NAB rule of window-score.ts
 * 3. csv.ts               labelled rows: precision, recall, delay
 * 4. html.ts, progress.ts for people
 */
export { type CsvFigures, type ScoreCsvOptions, scoreCsv } from './csv.ts';
export { type ScoreSeriesOptions, type SeriesFigures, scoreSeries } from './series.ts';
export { PROFILES, type ProfileName } from './window-score.ts';
