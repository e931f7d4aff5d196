import type { Rows } from './rows.ts';
import type { SeriesFigures } from './series.ts';
import type { RowWindow } from './window-score.ts';

export interface PlottedSeries {
  file: string;
  rows: Rows;
  scores: Float64Array;
  windows: readonly RowWindow[];
}

const WIDTH = 1200;
const HEIGHT = 160;
const HEAD = 18;

/** One self-contained page: the figures, and each series with its windows (shaded) and alarms (green hit, red false). */
export function seriesHtml(figures: SeriesFigures, plots: readonly PlottedSeries[]): string {
  const { standard, lowFp, lowFn } = figures.profiles;
  const body = plots.map((plot, i) => `<h2>${title(figures, i)}</h2>${svg(plot, figures.threshold)}`);
  return `<!doctype html><meta charset="utf-8"><title>Anomaly scores</title>
<style>body{font:14px system-ui;margin:2em;max-width:${WIDTH}px}h2{font-size:14px;margin:1.5em 0 .3em}</style>
<h1>Anomaly scores at threshold ${figures.threshold.toFixed(4)}</h1>
<p>standard ${standard.toFixed(1)}, low false alarms ${lowFp.toFixed(1)}, low misses ${lowFn.toFixed(1)};
${figures.alarmsPerDay.toFixed(3)} alarms a day and series</p>
${body.join('\n')}
`;
}

function title(figures: SeriesFigures, i: number): string {
  const line = figures.series[i];
  if (line === undefined) return '';
  return escapeHtml(
    `${line.file}: ${line.hit} of ${line.windows} windows found, ${line.falseAlarms} false alarms`,
  );
}

function svg(plot: PlottedSeries, threshold: number): string {
  const n = plot.rows.values.length;
  const x = (row: number) => ((row / Math.max(1, n)) * WIDTH).toFixed(1);
  const shaded = plot.windows.map(
    ([first, last]) =>
      `<rect x="${x(first)}" y="0" width="${(((last - first + 1) / n) * WIDTH).toFixed(1)}" height="${HEIGHT}" fill="#fde2c8"/>`,
  );
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="100%">${shaded.join('')}<path d="${path(plot.rows.values)}" fill="none" stroke="#245" stroke-width="0.8"/>${marks(plot, threshold, x)}</svg>`;
}

function marks(plot: PlottedSeries, threshold: number, x: (row: number) => string): string {
  const found: string[] = [];
  plot.scores.forEach((score, i) => {
    if (!(score >= threshold)) return;
    const hit = plot.windows.some(([first, last]) => i >= first && i <= last);
    found.push(`<circle cx="${x(i)}" cy="8" r="4" fill="${hit ? '#080' : '#c00'}"/>`);
  });
  return found.join('');
}

/** Lowest and highest value of each column of pixels: spikes survive. */
function path(values: Float64Array): string {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const y = (v: number) => (HEIGHT - 4 - ((v - low) / (high - low || 1)) * (HEIGHT - HEAD - 4)).toFixed(1);
  const step = Math.max(1, Math.ceil(values.length / WIDTH));
  let d = '';
  for (let i = 0; i < values.length; i += step) {
    const column = values.subarray(i, i + step).filter(Number.isFinite);
    if (column.length === 0) continue;
    const at = ((i / values.length) * WIDTH).toFixed(1);
    const bottom = column.reduce((a, b) => Math.min(a, b));
    const top = column.reduce((a, b) => Math.max(a, b));
    d += `${d === '' ? 'M' : 'L'}${at} ${y(bottom)}L${at} ${y(top)}`;
  }
  return d;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
