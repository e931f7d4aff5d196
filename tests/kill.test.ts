import { describe, expect, it } from 'vitest';
import { killDrill } from './drills/kill-ingest.ts';

describe('kill -9 while 20 publishers send', () => {
  it('loses nothing that was acknowledged, and stores nothing twice', async () => {
    const report = await killDrill({ rounds: 2, publishers: 20, seed: 212 });
    expect(report.rounds).toHaveLength(2);
    expect(report.acknowledged).toBeGreaterThan(100);
    expect(report).toMatchObject({
      lost: 0,
      altered: 0,
      missing: 0,
      stored: report.acknowledged,
      holds: true,
    });
  }, 120_000);
});
