import { resolve } from 'node:path';
import type { Command } from 'commander';
import { wallClock } from '../../backbone/index.ts';
import { parse } from '../../backbone/validation.ts';
import { QianliyanError, type QuarantineEntry } from '../../contracts/index.ts';
import {
  dismissEntry,
  ListQuery,
  type QuarantineLook,
  type QuarantineSummary,
  quarantineLook,
  type RerunReport,
  RerunRequest,
} from '../../ingest/index.ts';
import { askRunning } from '../control.ts';
import { dataOption, requireDataFolder } from '../data-folder.ts';
import { createLog } from '../logger.ts';
import { numberOption } from '../options.ts';
import { openRecords } from '../stores.ts';

/**
 * List, look, put the registry right, run again. Looking and dismissing work on the folder of a running product and of a
 * stopped one; running again is the running product's work, because only there ingest is.
 */
interface DataFlag {
  data: string;
}
interface Filter {
  reason?: string;
  device?: string;
  state?: string;
  since?: string;
  until?: string;
  text?: string;
}

export function registerQuarantine(program: Command): void {
  const quarantine = program.command('quarantine');
  filtered(quarantine.command('list'))
    .description('entries, newest first, one a line')
    .option('--state <state>', 'open, rerun-taken or dismissed')
    .option('--limit <n>', 'so many at most', numberOption('--limit', 1, 500, true), 50)
    .option('--json', 'print JSON')
    .addOption(dataOption())
    .action(({ data, json, limit, ...filter }: Filter & DataFlag & { limit: number; json?: boolean }) =>
      withLook(data, async (look) => {
        const entries = await look.list(parse(ListQuery, { ...timed(filter), limit }));
        return json ? JSON.stringify(entries, null, 2) : entries.map(line).join('\n');
      }),
    );
  quarantine
    .command('summary')
    .description('how many by reason, and what became of them')
    .option('--json', 'print JSON')
    .addOption(dataOption())
    .action(({ data, json }: DataFlag & { json?: boolean }) =>
      withLook(data, async (look) => {
        const summary = await look.summary();
        return json ? JSON.stringify(summary, null, 2) : table(summary);
      }),
    );
  quarantine
    .command('show')
    .description('one entry as JSON')
    .argument('<id>')
    .addOption(dataOption())
    .action((id: string, { data }: DataFlag) =>
      withLook(data, async (look) => JSON.stringify(there(await look.get(id), id), null, 2)),
    );
  quarantine
    .command('raw')
    .description('its bytes as they came, to standard output')
    .argument('<id>')
    .addOption(dataOption())
    .action((id: string, { data }: DataFlag) =>
      withLook(data, async (look) => there(await look.raw(id), id)),
    );
  filtered(quarantine.command('rerun'))
    .description('run messages again as of when they came; the product has to be running')
    .argument('[id...]', 'these; or those that the options say')
    .option('--all', 'all that wait')
    .option('--limit <n>', 'so many at most', numberOption('--limit', 1, 10_000, true), 1_000)
    .option('--after <id>', 'go on behind this id, which the report before calls next')
    .addOption(dataOption())
    .addHelpText('after', '\nPrints a report as JSON. Exit code 1: some of them stay in quarantine.')
    .action(rerun);
  quarantine
    .command('dismiss')
    .description('nothing is to be done about an entry; it stays on record')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why')
    .addOption(dataOption())
    .action(async (id: string, { data, reason }: DataFlag & { reason: string }) =>
      withRecords(data, async (records) => {
        const entry = await dismissEntry({ records, clock: wallClock }, id, { by: 'command line', reason });
        return JSON.stringify(entry, null, 2);
      }),
    );
}

function filtered(command: Command): Command {
  return command
    .option('--reason <reason>', 'e.g. device-unknown')
    .option('--device <id>', 'id or address of the device that it is about')
    .option('--since <time>', 'received at or after, RFC 3339')
    .option('--until <time>', 'received before, RFC 3339')
    .option('--text <text>', 'stands in detail, topic, client or device');
}

async function rerun(
  ids: string[],
  {
    data,
    all,
    limit,
    after,
    ...filter
  }: Filter & DataFlag & { all?: boolean; limit: number; after?: string },
): Promise<void> {
  const folder = resolve(data);
  requireDataFolder(folder);
  if (ids.length === 0 && Object.keys(filter).length === 0 && all !== true) {
    throw new QianliyanError(
      'USAGE',
      'say which entries are to run again: ids, --reason, --device …, or --all',
    );
  }
  const which = {
    ...timed(filter),
    ...(ids.length > 0 && { ids }),
    ...(after !== undefined && { after }),
    limit,
  };
  const request = parse(RerunRequest, which);
  const report = await askRunning<RerunReport>(folder, 'rerun', JSON.stringify(request));
  if (report === null) {
    throw new QianliyanError(
      'USAGE',
      `no product runs on ${folder}: start it with qianliyan up, then run again`,
    );
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  if (report.stillRefused + report.notRun > 0) process.exitCode = 1;
}

/** Times as people write them, to epoch ms. */
function timed({ since, until, ...rest }: Filter): Record<string, unknown> {
  const at = (name: string, text: string) => {
    const time = Date.parse(text);
    if (!Number.isNaN(time)) return time;
    const problems = [{ path: name, found: text, allowed: 'a time such as 2026-11-22T10:00:00+08:00' }];
    throw new QianliyanError('USAGE', `${name} ${text} is no time`, { problems });
  };
  return {
    ...rest,
    ...(since !== undefined && { since: at('--since', since) }),
    ...(until !== undefined && { until: at('--until', until) }),
  };
}

function line({ id, state, reason, receivedAt, device, detail }: QuarantineEntry): string {
  const time = new Date(receivedAt).toISOString();
  return [id, time, state.padEnd(11), reason.padEnd(20), (device ?? '-').padEnd(20), detail].join(' ');
}

function table({ entered, open, taken, dismissed, evicted, reasons }: QuarantineSummary): string {
  const time = (at: number | null) => (at === null ? '-'.padEnd(24) : new Date(at).toISOString());
  const rows = reasons.map((r) =>
    [
      r.reason.padEnd(20),
      String(r.entered).padStart(9),
      String(r.open).padStart(9),
      time(r.first),
      time(r.last),
    ].join(' '),
  );
  const head = [
    'reason'.padEnd(20),
    'entered'.padStart(9),
    'open'.padStart(9),
    'oldest open'.padEnd(24),
    'newest open',
  ];
  const sum = `${entered} entered, ${open} open, ${taken} run again and taken, ${dismissed} dismissed, ${evicted} evicted`;
  return [head.join(' '), ...rows, sum].join('\n');
}

function there<T>(value: T | null, id: string): T {
  if (value === null) throw new QianliyanError('NOT_FOUND', `no entry ${id} in quarantine`);
  return value;
}

function withLook(data: string, work: (look: QuarantineLook) => Promise<string | Buffer>): Promise<void> {
  return withRecords(data, (records) => work(quarantineLook(records)));
}

async function withRecords(
  data: string,
  work: (records: Awaited<ReturnType<typeof openRecords>>) => Promise<string | Buffer>,
): Promise<void> {
  const folder = resolve(data);
  requireDataFolder(folder);
  const records = await openRecords(folder, createLog('warn'));
  try {
    const said = await work(records);
    if (said.length > 0) process.stdout.write(typeof said === 'string' ? `${said}\n` : said);
  } finally {
    await records.close();
  }
}
