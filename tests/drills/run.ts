import { parseArgs } from 'node:util';
import type { DrillRound } from './books.ts';
import { diskFullDrill } from './disk-full.ts';
import { killDrill } from './kill-ingest.ts';
import { seriesAwayDrill } from './series-away.ts';

/**
 * The drills of ingest: each hurts a process that takes messages from real publishers, and compares what these hold a
 * PUBACK for with what is stored afterwards.
 *
 *   npm run drill -- [kill|series|disk] [--rounds 20] [--publishers 50] [--seconds 60] [--seed 1] [--json]
 *
 * Exit code 1: something does not hold. Progress goes to standard error.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '20' },
    publishers: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const publishers = Number(values.publishers);
const progress = (line: string) => void process.stderr.write(`${line}\n`);

const DRILLS: Record<string, () => Promise<DrillRound[]>> = {
  kill: async () =>
    (await killDrill({ rounds: Number(values.rounds), publishers, seed: Number(values.seed), progress }))
      .rounds,
  series: async () => [await seriesAwayDrill({ seconds: Number(values.seconds), publishers, progress })],
  disk: async () => {
    const rows = [
      await diskFullDrill({ publishers, how: 'nearly', progress }),
      await diskFullDrill({ publishers, how: 'full', progress }),
    ];
    if (rows.includes(null)) progress('disk: left out, since this user may not mount a file system');
    return rows.filter((row) => row !== null);
  },
};

const [name] = positionals;
if (name !== undefined && !(name in DRILLS)) {
  process.stderr.write(`no drill is called '${name}'; there are: ${Object.keys(DRILLS).join(', ')}\n`);
  process.exit(2);
}
const rounds: DrillRound[] = [];
for (const [key, drill] of Object.entries(DRILLS)) {
  if (name === undefined || name === key) rounds.push(...(await drill()));
}
if (values.json) process.stdout.write(`${JSON.stringify({ rounds })}\n`);
else for (const row of rounds) process.stdout.write(`${sentence(row)}\n`);
process.exitCode = rounds.every((row) => row.holds) ? 0 : 1;

function sentence({ fault, acknowledged, stored, lost, recoveredMs, holds, also }: DrillRound): string {
  const more = Object.entries(also).map(([what, value]) => `${what} ${value}`);
  const counts = `${acknowledged} acknowledged, ${stored} stored, ${lost} lost, back after ${recoveredMs} ms`;
  return [`${holds ? 'holds' : 'FAILS'}  ${fault}: ${counts}`, ...more].join(', ');
}
