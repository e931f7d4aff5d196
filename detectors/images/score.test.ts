import { describe, expect, it } from 'vitest';
import type { Box } from '../../contracts/index.ts';
import { tally } from './score.ts';

const thing = (name: string, x: number): { class: string; box: Box } => ({
  class: name,
  box: [x, 0, 10, 10],
});

function count(
  found: ReturnType<typeof thing>[],
  truth: (ReturnType<typeof thing> & { optional?: boolean })[],
) {
  const tallies = new Map();
  tally(tallies, found, truth);
  return Object.fromEntries(tallies);
}

describe('a find is right', () => {
  it('when it has the class and the place', () => {
    expect(count([thing('car', 1), thing('car', 40)], [thing('car', 0), thing('car', 80)])).toEqual({
      car: { truths: 2, found: 2, right: 1 },
    });
  });

  it('only once for each truth', () => {
    expect(count([thing('car', 0), thing('car', 1)], [thing('car', 0)])).toEqual({
      car: { truths: 1, found: 2, right: 1 },
    });
  });

  it('not when it has another name', () => {
    expect(count([thing('truck', 0)], [thing('car', 0)])).toEqual({
      car: { truths: 1, found: 0, right: 0 },
      truck: { truths: 0, found: 1, right: 0 },
    });
  });

  it('nor wrong, when it is too small or too hidden to be asked for', () => {
    const hidden = { ...thing('car', 0), optional: true };
    expect(count([thing('car', 0), thing('car', 40)], [hidden, thing('car', 40)])).toEqual({
      car: { truths: 1, found: 1, right: 1 },
    });
    expect(count([], [hidden])).toEqual({});
  });

  it('by its best truth, so that two that stand close are both found', () => {
    expect(count([thing('car', 4), thing('car', 0)], [thing('car', 0), thing('car', 3)])).toEqual({
      car: { truths: 2, found: 2, right: 2 },
    });
  });
});
