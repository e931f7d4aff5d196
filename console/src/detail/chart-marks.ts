/** What uPlot does not draw by itself: the interval found, the limit line, and crosses for values that do not count. */
import type uPlot from 'uplot';

/** Canvas pixels for one CSS pixel. */
const ratio = (): number => window.devicePixelRatio;

function inPlot(chart: uPlot, draw: (ctx: CanvasRenderingContext2D) => void): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

export function drawInterval(chart: uPlot, interval: { from: number; to: number }, colour: string): void {
  inPlot(chart, (ctx) => {
    const left = chart.valToPos(interval.from / 1000, 'x', true);
    const right = chart.valToPos(interval.to / 1000, 'x', true);
    ctx.fillStyle = colour;
    // A moment is still seen as a line.
    ctx.fillRect(left, chart.bbox.top, Math.max(right - left, 2 * ratio()), chart.bbox.height);
  });
}

export function drawLimit(chart: uPlot, limit: number, colour: string): void {
  inPlot(chart, (ctx) => {
    const width = Math.max(1, Math.round(1.5 * ratio()));
    // On whole pixels, so that the line is sharp and has its own colour.
    const y = Math.round(chart.valToPos(limit, 'y', true)) + (width % 2) / 2;
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.setLineDash([6 * ratio(), 4 * ratio()]);
    ctx.beginPath();
    ctx.moveTo(chart.bbox.left, y);
    ctx.lineTo(chart.bbox.left + chart.bbox.width, y);
    ctx.stroke();
  });
}

/** A cross at each value of series `column`. */
export function drawCrosses(chart: uPlot, column: number, colour: string): void {
  const times = chart.data[0];
  const values = chart.data[column] ?? [];
  const arm = 3 * ratio();
  inPlot(chart, (ctx) => {
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.5 * ratio();
    ctx.beginPath();
    for (let i = 0; i < times.length; i += 1) {
      const value = values[i];
      if (value === null || value === undefined) continue;
      const x = chart.valToPos(times[i] ?? 0, 'x', true);
      const y = chart.valToPos(value, 'y', true);
      ctx.moveTo(x - arm, y - arm);
      ctx.lineTo(x + arm, y + arm);
      ctx.moveTo(x + arm, y - arm);
      ctx.lineTo(x - arm, y + arm);
    }
    ctx.stroke();
  });
}
