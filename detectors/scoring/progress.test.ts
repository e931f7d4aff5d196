import { describe, expect, it } from 'vitest';
import { startProgress } from './progress.ts';

describe('progress', () => {
  it('stays silent for two seconds, then draws over its own line on a terminal', () => {
    const { output, written, clock } = terminal(true);
    const progress = startProgress('Scoring', 10, output, clock.now);
    progress.done(1);
    expect(written).toEqual([]);
    clock.passes(2500);
    progress.done(4);
    progress.done(1);
    expect(written).toEqual(['\rScoring: 5 of 10 (50 %)\x1b[K']);
    progress.end();
    expect(written.at(-1)).toBe('\r\x1b[K');
  });

  it('writes plain lines elsewhere, one in ten seconds at most', () => {
    const { output, written, clock } = terminal(false);
    const progress = startProgress('Scoring', 100, output, clock.now);
    for (let i = 0; i < 30; i++) {
      clock.passes(1000);
      progress.done(1);
    }
    progress.end();
    expect(written).toEqual([
      'Scoring: 2 of 100 (2 %)\n',
      'Scoring: 12 of 100 (12 %)\n',
      'Scoring: 22 of 100 (22 %)\n',
    ]);
  });
});

function terminal(isTTY: boolean) {
  const written: string[] = [];
  let now = 0;
  return {
    output: { isTTY, write: (text: string) => written.push(text) },
    written,
    clock: {
      now: () => now,
      passes: (ms: number) => {
        now += ms;
      },
    },
  };
}
