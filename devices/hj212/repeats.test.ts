import { describe, expect, it } from 'vitest';
import { Repeats } from './repeats.ts';

describe('frames that were seen', () => {
  it('are the same, or other, or never seen; and durable once that was told', () => {
    const repeats = new Repeats();
    expect(repeats.judge('A', 'k', 'h')).toEqual({ seen: 'never' });
    repeats.remember('A', 'k', 'h', 3);
    expect(repeats.judge('A', 'k', 'h')).toEqual({ seen: 'same', durable: false, values: 3 });
    repeats.durable('A', 'k');
    expect(repeats.judge('A', 'k', 'h')).toEqual({ seen: 'same', durable: true, values: 3 });
    expect(repeats.judge('A', 'k', 'other')).toEqual({ seen: 'other', before: 'h' });
    expect(repeats.judge('B', 'k', 'h')).toEqual({ seen: 'never' });
  });

  it('of one that babbles push out nobody else’s', () => {
    const repeats = new Repeats();
    repeats.remember('A', 'k', 'h', 1);
    for (let i = 0; i < 1_000; i += 1) repeats.remember('B', `k${i}`, 'h', 1);
    expect(repeats.judge('A', 'k', 'h').seen).toBe('same');
    expect(repeats.judge('B', 'k0', 'h').seen).toBe('never');
    expect(repeats.judge('B', 'k999', 'h').seen).toBe('same');
  });

  it('of whoever was silent for longest are forgotten when there are too many: memory is bounded', () => {
    const repeats = new Repeats();
    for (let i = 0; i < 100_010; i += 1) repeats.remember(`M${i}`, 'k', 'h', 1);
    expect(repeats.judge('M9', 'k', 'h').seen).toBe('never');
    expect(repeats.judge('M10', 'k', 'h').seen).toBe('same');
  });
});
