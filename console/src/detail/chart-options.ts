/** How the chart looks and reads: series, axes and scales for uPlot. */
import type uPlot from 'uplot';
import type { Finding } from '../../../contracts/index.ts';
import { chartDate, clockTime, hourMinute, number } from '../text/format.ts';
import type { ChartData } from './chart-data.ts';
import { drawCrosses, drawInterval, drawLimit } from './chart-marks.ts';

export const columns = (data: ChartData): uPlot.AlignedData => [
  data.times,
  data.counted,
  data.statistic,
  data.notCounted,
];

/** The theme's colours, as the canvas needs them. */
function paint(host: HTMLElement): (name: string) => string {
  const style = getComputedStyle(host);
  return (name) => style.getPropertyValue(name).trim();
}

export function options(
  host: HTMLElement,
  data: ChartData,
  finding: Finding,
  limit: number | undefined,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const colour = paint(host);
  const axis = {
    stroke: colour('--text-2'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), size: 4, width: 1 },
    font: '11px system-ui, "Noto Sans CJK SC", sans-serif',
  };
  const dots = data.times.length < 200;
  return {
    width: host.clientWidth,
    height: host.clientHeight,
    tzDate: chartDate,
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false }, points: { size: 7 } },
    scales: { y: { range: (_chart, min, max) => yRange(min, max, limit) } },
    axes: [
      {
        ...axis,
        space: 70,
        size: 30,
        values: (_chart, ticks) => ticks.map((tick) => timeLabel(tick, ticks)),
      },
      { ...axis, size: 46, values: (_chart, ticks) => ticks.map(number) },
    ],
    series: [
      {},
      { stroke: colour('--chart-raw'), width: 1, points: { show: dots, size: 3 }, spanGaps: false },
      { stroke: colour('--chart-mean'), width: 2.5, points: { show: false } },
      { paths: () => null, points: { show: false } },
    ],
    hooks: {
      drawClear: [(chart) => drawInterval(chart, finding.interval, colour('--chart-interval'))],
      draw: [
        (chart) => {
          if (limit !== undefined) drawLimit(chart, limit, colour('--chart-limit'));
          drawCrosses(chart, 3, colour('--chart-not-counted'));
        },
      ],
      setCursor: [(chart) => onCursor(chart.cursor.idx ?? null)],
    },
  };
}

/** Seconds only where the ticks are closer than a minute. */
const timeLabel = (tick: number, ticks: number[]): string =>
  (ticks[1] ?? 60) - (ticks[0] ?? 0) < 60 ? clockTime(tick * 1000) : hourMinute(tick * 1000);

/** Room above and below, the limit always in sight; a flat line is not blown up into noise. */
function yRange(min: number | null, max: number | null, limit: number | undefined): [number, number] {
  const low = Math.min(min ?? 0, limit ?? Number.POSITIVE_INFINITY);
  const high = Math.max(max ?? 1, limit ?? Number.NEGATIVE_INFINITY);
  const room = Math.max((high - low) * 0.12, Math.abs(high) * 0.02, 1e-6);
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}
