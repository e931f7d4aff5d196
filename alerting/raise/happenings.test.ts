import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrange, type Member } from './happenings.ts';

const member = (id: string, from: number, to = Number.POSITIVE_INFINITY): Member => ({ id, from, to });
const ids = (members: readonly Member[], gap = 0) =>
  arrange(members, [], gap).happenings.map((h) => h.members.map((m) => m.id));

describe('which findings are one happening', () => {
  it('joins what overlaps and what touches', () => {
    expect(ids([member('a', 0, 10), member('b', 5, 20), member('c', 20, 30), member('d', 31, 40)])).toEqual([
      ['a', 'b', 'c'],
      ['d'],
    ]);
  });

  it('joins what comes again within the gap', () => {
    expect(ids([member('a', 0, 10), member('b', 15, 20)], 5)).toEqual([['a', 'b']]);
    expect(ids([member('a', 0, 10), member('b', 16, 20)], 5)).toEqual([['a'], ['b']]);
  });

  it('an open one reaches into the future', () => {
    expect(ids([member('a', 0), member('b', 1_000_000, 1_000_001)])).toEqual([['a', 'b']]);
  });

  it('a finding between two alerts makes them one: the older stays', () => {
    const standing = [
      { id: 'A', founder: 'a', seq: 2, decided: false },
      { id: 'C', founder: 'c', seq: 1, decided: false },
    ];
    const arranged = arrange([member('a', 0, 10), member('b', 5, 20), member('c', 15, 30)], standing, 0);
    expect(arranged.happenings.map((h) => h.id)).toEqual(['C']);
    expect(arranged.merged).toEqual([{ id: 'A', into: 'C' }]);
  });

  it('unless a person has decided the other', () => {
    const standing = [
      { id: 'A', founder: 'a', seq: 2, decided: true },
      { id: 'C', founder: 'c', seq: 1, decided: false },
    ];
    const arranged = arrange([member('a', 0, 10), member('c', 5, 30)], standing, 0);
    expect(arranged.merged).toEqual([{ id: 'C', into: 'A' }]);
  });

  it('an alert that falls apart stays with its founder', () => {
    const standing = [{ id: 'B', founder: 'b', seq: 1, decided: false }];
    const arranged = arrange([member('a', 0, 1), member('b', 5, 6)], standing, 0);
    expect(arranged.happenings.map((h) => [h.founder, h.id === 'B'])).toEqual([
      ['a', false],
      ['b', true],
    ]);
  });

  const spans = fc.uniqueArray(
    fc.record({ id: fc.stringMatching(/^[a-z]{1,3}$/), from: fc.nat(100), length: fc.nat(30) }),
    { selector: (m) => m.id, maxLength: 12 },
  );
  const membersOf = (list: { id: string; from: number; length: number }[]) =>
    list.map(({ id, from, length }) => member(id, from, from + length));

  it('the order of the findings makes no difference', () => {
    fc.assert(
      fc.property(
        spans.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        fc.nat(10),
        ([list, shuffled], gap) => {
          expect(arrange(membersOf(shuffled), [], gap)).toEqual(arrange(membersOf(list), [], gap));
        },
      ),
      { seed: 7 },
    );
  });

  it('every finding is in exactly one happening, and happenings are further apart than the gap', () => {
    fc.assert(
      fc.property(spans, fc.nat(10), (list, gap) => {
        const { happenings } = arrange(membersOf(list), [], gap);
        expect(happenings.flatMap((h) => h.members.map((m) => m.id)).sort()).toEqual(
          list.map((m) => m.id).sort(),
        );
        for (const [i, next] of happenings.slice(1).entries()) {
          const end = Math.max(...(happenings[i]?.members.map((m) => m.to) ?? []));
          expect(next.members[0].from).toBeGreaterThan(end + gap);
        }
      }),
      { seed: 7 },
    );
  });
});
