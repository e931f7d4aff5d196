import { cpus } from 'node:os';

/** One measured case. CPU-seconds per 100,000 operations say more than rates on shared cores. */
export interface BenchRow {
  case: string;
  ratePerS: number;
  cpuSPer100k: number;
  rssMb: number;
}

/** A ratio that was promised, and what was reached in the same run. */
export interface BenchGoal {
  what: string;
  goal: number;
  got: number;
  holds: boolean;
}

/** What `npm run bench -- NAME --json` prints (figures.md). */
export interface BenchReport {
  name: string;
  machine: { cpu: string; cores: number; node: string };
  rows: BenchRow[];
  goals: BenchGoal[];
}

export function machine(): BenchReport['machine'] {
  const all = cpus();
  return { cpu: all[0]?.model.trim() ?? 'unknown', cores: all.length, node: process.version };
}

/** Runs `work` once and measures it: `work` returns how many operations it did. */
export async function measure(name: string, work: () => Promise<number> | number): Promise<BenchRow> {
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const count = await work();
  const seconds = (performance.now() - begun) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  return {
    case: name,
    ratePerS: Math.round(count / seconds),
    cpuSPer100k: Number((((cpu.user + cpu.system) / 1e6 / count) * 1e5).toFixed(3)),
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  };
}
