import type { BenchReport } from './report.ts';

/** The report as a table for people. */
export function formatBench(report: BenchReport): string {
  const rows = report.rows.map((r) => [
    r.case,
    r.ratePerS.toLocaleString('en'),
    r.cpuSPer100k.toString(),
    r.rssMb.toString(),
  ]);
  const goals = report.goals.map((g) => [
    g.holds ? 'holds' : 'MISSED',
    g.what,
    `goal ${g.goal}`,
    `got ${g.got}`,
  ]);
  const { cpu, cores, node } = report.machine;
  return [
    `${report.name} — ${cpu}, ${cores} cores, Node ${node}`,
    '',
    ...columns([['case', 'per second', 'CPU-s per 100,000', 'RSS MB'], ...rows]),
    ...(goals.length > 0 ? ['', ...columns(goals)] : []),
  ].join('\n');
}

function columns(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
