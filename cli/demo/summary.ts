import type { WriteStream } from 'node:tty';
import type { ProductCounts, SeenAlert } from '../../simulator/report.ts';
import type { Demo } from './run.ts';
import { alertLine, plainLine, render, type Scene } from './screen.ts';

/**
 * Shows the demo while it runs: a screen that is redrawn in place on a terminal, plain lines elsewhere. Asks the product
 * over HTTP as any client does; a question that fails leaves the old numbers standing.
 */
export interface Summary {
  onAlert: (seen: SeenAlert) => void;
  begin(demo: Demo, totalS: number | null): void;
  end(): void;
}

const SCREEN_MS = 500;
const LINES_MS = 5000;

export function showSummary(out: WriteStream): Summary {
  const alerts: SeenAlert[] = [];
  const live = out.isTTY === true;
  let timer: NodeJS.Timeout | undefined;
  let demo: Demo | undefined;
  let printed = 0;

  const unitOf = (alert: string): string | null =>
    demo?.observer.drafts().find((draft) => draft.alert === alert)?.route.unit ?? null;
  const latest = () => alerts.map(({ alert }) => ({ alert, unit: unitOf(alert.id) })).reverse();
  const newLines = () => {
    const lines = alerts.slice(printed).map(({ alert }) => alertLine(alert, unitOf(alert.id)));
    printed = alerts.length;
    return lines;
  };

  return {
    onAlert: (seen) => alerts.push(seen),
    begin(started, totalS) {
      demo = started;
      const begun = performance.now();
      for (const note of started.notes) out.write(`${note}\n`);
      if (!live) out.write(`console ${started.url}\n`);
      const draw = async () => {
        const counts = await started.observer.counts().catch(() => null);
        if (counts === null || timer === undefined) return;
        const elapsedS = Math.round((performance.now() - begun) / 1000);
        const scene = sceneOf(started, counts, { elapsedS, totalS, alerts: latest(), out });
        if (live) out.write(`\u001b[H\u001b[J${render(scene)}`);
        else out.write(`${[...newLines(), plainLine(scene)].join('\n')}\n`);
      };
      timer = setInterval(() => void draw(), live ? SCREEN_MS : LINES_MS);
      if (live) out.write('\u001b[2J');
    },
    end() {
      clearInterval(timer);
      timer = undefined;
      const rest = live ? [] : newLines();
      out.write(live ? '\n\n' : rest.map((line) => `${line}\n`).join(''));
    },
  };
}

interface Now {
  elapsedS: number;
  totalS: number | null;
  alerts: Scene['alerts'];
  out: WriteStream;
}

function sceneOf(demo: Demo, counts: ProductCounts, { elapsedS, totalS, alerts, out }: Now): Scene {
  return {
    url: demo.url,
    elapsedS,
    totalS,
    productTime: demo.productTime(),
    speed: demo.speed,
    published: demo.published(),
    counts,
    alerts,
    width: out.columns ?? 120,
    colour: process.env.NO_COLOR === undefined,
  };
}
