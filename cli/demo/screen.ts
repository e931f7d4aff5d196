import type { Alert } from '../../contracts/index.ts';
import type { ProductCounts } from '../../simulator/report.ts';

/**
 * The demo's one-screen summary. Pure: what is known in, lines out. `render` is the screen for a terminal, `plainLine`
 * the same in one line for a log.
 */
export interface Scene {
  /** Address of the console. */
  url: string;
  /** Seconds since the demo began, and how many it will run; null = until it is stopped. */
  elapsedS: number;
  totalS: number | null;
  /** The product's time, epoch ms, and how much faster it runs. */
  productTime: number;
  speed: number;
  published: number;
  counts: ProductCounts;
  /** Newest first. */
  alerts: readonly { alert: Alert; unit: string | null }[];
  width: number;
  colour: boolean;
}

export const sum = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((a, b) => a + b, 0);

export function plainLine(scene: Scene): string {
  const { counts: c } = scene;
  return (
    `${localTime(scene.productTime)} published ${scene.published} stored ${c.observations.stored} pictures ${c.frames} ` +
    `quarantined ${c.quarantined} | findings ${sum(c.findings)} alerts ${sum(c.alerts)} drafts ${sum(c.drafts)} ` +
    `leads ${c.leads.delivered}`
  );
}

export function alertLine(alert: Alert, unit: string | null): string {
  return `${localTime(alert.startedAt)} ${alert.kind.padEnd(14)} ${alert.device.padEnd(9)} → ${(unit ?? 'no draft').padEnd(10)} ${alert.summary.zh}`;
}

export function render(scene: Scene): string {
  const paint = painter(scene.colour);
  const { counts: c } = scene;
  const clock = `${localTime(scene.productTime)} +08:00${scene.speed === 1 ? '' : ` (×${scene.speed})`}`;
  const time = scene.totalS === null ? `${scene.elapsedS} s` : `${scene.elapsedS} / ${scene.totalS} s`;
  const stages: [string, string][] = [
    ['published', `${scene.published}`],
    ['stored', `${c.observations.stored}  + ${c.frames} pictures`],
    ['quarantined', `${c.quarantined}`],
    ['findings', byKind(c.findings)],
    ['alerts', byKind(c.alerts)],
    ['draft cases', byKind(c.drafts)],
    ['leads', `${c.leads.delivered} delivered, ${c.leads.pending} pending, ${c.leads.failed} failed`],
  ];
  return [
    paint.bold('千里眼 Qianliyan — demonstration district'),
    '',
    `  console   ${paint.link(scene.url)}`,
    `  time      ${clock}   running ${time}`,
    '',
    ...stages.map(([name, text]) => `  ${paint.dim(name.padEnd(12))} ${text}`),
    '',
    `  ${paint.bold('latest alerts')}`,
    ...(scene.alerts.length === 0 ? [`  ${paint.dim('none yet')}`] : []),
    ...scene.alerts
      .slice(0, 10)
      .map(({ alert, unit }) => `  ${paint.kind(alert.kind, alertLine(alert, unit))}`),
    '',
    paint.dim('  Ctrl-C ends the demo.'),
  ]
    .map((line) => cut(line, scene.width))
    .join('\n');
}

function byKind(counts: Record<string, number>): string {
  const parts = Object.entries(counts).filter(([, n]) => n > 0);
  return parts.length === 0 ? '0' : `${sum(counts)}   ${parts.map(([kind, n]) => `${kind} ${n}`).join(', ')}`;
}

/** HH:MM:SS in the district's time zone. */
export function localTime(ms: number): string {
  return new Date(ms + 8 * 3_600_000).toISOString().slice(11, 19);
}

const RED = new Set(['limit-exceeded', 'image']);

function painter(colour: boolean) {
  const wrap = (code: string) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const [red, yellow] = [wrap('31'), wrap('33')];
  return {
    bold: wrap('1'),
    dim: wrap('2'),
    link: wrap('4;36'),
    kind: (kind: string, text: string) => (RED.has(kind) ? red(text) : yellow(text)),
  };
}

/** Cuts a line to the terminal's columns: Chinese characters take two, colour codes none. */
export function cut(line: string, width: number): string {
  let columns = 0;
  let out = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape codes are what is looked for
  for (const part of line.match(/\u001b\[[0-9;]*m|./gsu) ?? []) {
    if (part.startsWith('\u001b')) {
      out += part;
      continue;
    }
    columns += isWide(part) ? 2 : 1;
    if (columns <= width) out += part;
  }
  return out;
}

function isWide(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xf900 && code <= 0xffe6)
  );
}
