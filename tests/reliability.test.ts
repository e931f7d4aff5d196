import { describe, expect, it } from 'vitest';
import { diskFullDrill } from './drills/disk-full.ts';
import { seriesAwayDrill } from './drills/series-away.ts';

/** The drills of docs/reliability.md, short; the full ones are `npm run drill`. */
describe('the series store away', () => {
  it('publishers go on being acknowledged, memory does not grow, and all is stored afterwards', async () => {
    const round = await seriesAwayDrill({ seconds: 3, publishers: 10 });
    expect(round).toMatchObject({ lost: 0, stored: round.acknowledged, holds: true });
    expect(round.also.waited).toBeGreaterThan(0);
  }, 120_000);
});

describe.each(['nearly', 'full'] as const)('a disk that is %s full', (how) => {
  it('is said clearly, nothing is acknowledged, and it goes on by itself when there is room', async (context) => {
    const round = await diskFullDrill({ publishers: 5, how, seconds: 1 });
    if (round === null) return context.skip('this user may not mount a file system');
    expect(round.also).toMatchObject({
      acknowledgedMeanwhile: 0,
      saidStoreFull: true,
      lived: true,
      recovered: true,
      missing: 0,
    });
    expect(round).toMatchObject({ lost: 0, stored: round.acknowledged, holds: true });
  }, 120_000);
});
