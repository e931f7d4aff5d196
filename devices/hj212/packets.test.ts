import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSegment } from './encode.ts';
import { parseHead } from './head.ts';
import { PACKET_LIMITS, type PacketContent, PacketSets } from './packets.ts';

const TIME = '20261118121000';

interface Sent {
  total: number;
  index: number;
  cp: string;
  qn?: string | null;
  mn?: string;
  at?: number;
}

function arrive(
  sets: PacketSets,
  { total, index, cp, qn = `20261118121500${100 + index}`, mn = 'A1', at = 0 }: Sent,
): PacketContent {
  const segment = encodeSegment({ qn, st: '31', cn: '2051', mn, flag: 7, packet: { total, index }, cp });
  const head = parseHead(segment);
  if (head.packet === null) throw new Error('no packet');
  return sets.arrive({ ...head, packet: head.packet }, segment, at);
}

/** `code=value@time` of what came. */
function said({ dataTime, items }: PacketContent): string[] {
  return items.map(({ code, value, dataTime: own }) => `${code}=${value}@${own ?? dataTime}`);
}

describe('packets that carry DataTime each', () => {
  it('are given each by itself, in any order', () => {
    const sets = new PacketSets();
    expect(said(arrive(sets, { total: 2, index: 2, cp: `DataTime=${TIME};b-Avg=2,b-Flag=N` }))).toEqual([
      `b=2@${TIME}`,
    ]);
    expect(said(arrive(sets, { total: 2, index: 1, cp: `DataTime=${TIME};a-Avg=1,a-Flag=N` }))).toEqual([
      `a=1@${TIME}`,
    ]);
    expect(sets.expire(PACKET_LIMITS.expiryMs)).toEqual([]);
  });

  it('hold back what has no flag at their border, until the next is there', () => {
    const sets = new PacketSets();
    const first = arrive(sets, { total: 2, index: 1, cp: `DataTime=${TIME};a-Avg=1;b-Avg=2` });
    expect(said(first)).toEqual([`a=1@${TIME}`]);
    expect(first.waiting).toContain('"b-Avg=2" may go on in the next packet');
    const second = arrive(sets, { total: 2, index: 2, cp: `DataTime=${TIME};c-Avg=3` });
    expect(said(second)).toEqual([`b=2@${TIME}`, `c=3@${TIME}`]);
    expect(second.waiting).toBeNull();
  });

  it('keep a time that is not the first: what follows one is of it', () => {
    const sets = new PacketSets();
    arrive(sets, {
      total: 2,
      index: 1,
      cp: `DataTime=${TIME};a-Avg=1;DataTime=20261118122000;a-Avg=2,a-Flag=N`,
    });
    expect(said(arrive(sets, { total: 2, index: 2, cp: 'b-Avg=3' }))).toEqual(['b=3@20261118122000']);
  });
});

describe('packets without DataTime', () => {
  it('of which an earlier one is missing wait: it may tell another time', () => {
    const sets = new PacketSets();
    arrive(sets, { total: 3, index: 1, cp: `DataTime=${TIME};a-Avg=1,a-Flag=N` });
    const third = arrive(sets, { total: 3, index: 3, cp: 'c-Avg=3,c-Flag=N' });
    expect(said(third)).toEqual([]);
    expect(third.waiting).toContain('of 3 packets these are here: 1, 3');
    const second = arrive(sets, { total: 3, index: 2, cp: 'b-Avg=2;DataTime=20261118122000' });
    expect(said(second)).toEqual([`b=2@${TIME}`, 'c=3@20261118122000']);
  });

  it('join no set that neither QN nor time puts beside them', () => {
    const sets = new PacketSets();
    arrive(sets, { total: 2, index: 1, cp: `DataTime=${TIME};a-Avg=1,a-Flag=N`, qn: '20261118121500100' });
    const stranger = arrive(sets, { total: 2, index: 2, cp: 'b-Avg=2', qn: '20261118121600100', at: 60_000 });
    expect(said(stranger)).toEqual([]);
    expect(stranger.waiting).not.toBeNull();
    expect(said(arrive(sets, { total: 2, index: 2, cp: 'b-Avg=9', qn: '20261118121500101' }))).toEqual([
      `b=9@${TIME}`,
    ]);
  });

  it('of other devices are not mixed', () => {
    const sets = new PacketSets();
    arrive(sets, { total: 2, index: 1, cp: `DataTime=${TIME};a-Avg=1,a-Flag=N` });
    expect(said(arrive(sets, { total: 2, index: 2, cp: 'b-Avg=2', mn: 'B2' }))).toEqual([]);
  });
});

describe('a set', () => {
  it('that is never completed is named once, with what is missing', () => {
    const sets = new PacketSets();
    arrive(sets, { total: 4, index: 1, cp: `DataTime=${TIME};a-Avg=1,a-Flag=N` });
    arrive(sets, { total: 4, index: 3, cp: `DataTime=${TIME};c-Avg=1,c-Flag=N` });
    expect(sets.expire(PACKET_LIMITS.expiryMs - 1)).toEqual([]);
    const [lost, ...others] = sets.expire(PACKET_LIMITS.expiryMs);
    expect(others).toEqual([]);
    expect(lost).toMatchObject({
      mn: 'A1',
      detail: expect.stringContaining(`DataTime=${TIME}: of 4, 2, 4 never came`),
    });
    expect(sets.expire(PACKET_LIMITS.expiryMs)).toEqual([]);
  });

  it('gives what it gave again when a packet is repeated, complete or not, and is not begun anew', () => {
    const sets = new PacketSets();
    const packet = { total: 2, index: 1, cp: `DataTime=${TIME};a-Avg=1,a-Flag=N`, qn: null };
    expect(said(arrive(sets, packet))).toEqual([`a=1@${TIME}`]);
    expect(said(arrive(sets, packet))).toEqual([`a=1@${TIME}`]);
    const last = { total: 2, index: 2, cp: 'b-Avg=2', qn: null };
    expect(said(arrive(sets, last))).toEqual([`b=2@${TIME}`]);
    expect(said(arrive(sets, last))).toEqual([`b=2@${TIME}`]);
    expect(sets.expire(2 * PACKET_LIMITS.expiryMs)).toEqual([]);
  });

  it('with text that cannot be read names it, and gives the rest', () => {
    const content = arrive(new PacketSets(), {
      total: 1,
      index: 1,
      cp: `DataTime=${TIME};a-Avg=1;broken;b-Avg=2`,
    });
    expect(said(content)).toEqual([`a=1@${TIME}`, `b=2@${TIME}`]);
    expect(content.faults).toEqual(['"broken" is not NAME=VALUE']);
  });

  it('is dropped by name when there are too many, or too large ones: memory is bounded', () => {
    const sets = new PacketSets({ expiryMs: 1e9, mostSets: 10, mostBytes: 5_000 });
    for (let i = 0; i < 50; i += 1)
      arrive(sets, { total: 9, index: 1, cp: `DataTime=${TIME};a=1;`, mn: `M${i}` });
    expect(sets.expire(0)).toHaveLength(40);
    for (let i = 1; i < 9; i += 1)
      arrive(sets, { total: 9, index: i, cp: `DataTime=${TIME};${'b=1;'.repeat(200)}`, mn: 'X' });
    expect(sets.expire(0).map((set) => set.mn)).toContain('X');
  });
});

describe('a message of any values, cut anywhere into packets that come in any order', () => {
  const value = fc
    .tuple(fc.integer({ min: 0, max: 99_999 }), fc.nat(3))
    .map(([n, digits]) => (n / 10 ** digits).toFixed(digits));
  const group = fc.tuple(value, fc.boolean(), fc.boolean());
  const message = fc.tuple(
    fc.array(group, { minLength: 1, maxLength: 8 }),
    fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }),
    fc.array(fc.nat(1_000), { minLength: 6, maxLength: 6 }),
    fc.constantFrom('raw', 'items', 'timed'),
  );

  it('gives each value once it is known, and never another one', () => {
    fc.assert(
      fc.property(message, ([groups, cuts, order, way]) => {
        const texts = groups.map(([v, flagged, zs], i) => {
          const more = zs ? `,f${i}-ZsAvg=${v}7` : '';
          return `f${i}-Avg=${v}${flagged ? `,f${i}-Flag=N` : ''}${more}`;
        });
        const packets = cutUp(texts, cuts, way);
        const shuffled = packets
          .map((cp, i) => ({ cp, index: i + 1, by: order[i % 6] ?? 0 }))
          .sort((a, b) => a.by - b.by);
        const sets = new PacketSets();
        const found = new Set<string>();
        const valuesOf = ({ items, dataTime }: PacketContent) =>
          items.map(
            (item) => `${item.code}-${item.field}=${item.value} ${item.flag}@${item.dataTime ?? dataTime}`,
          );
        for (const { cp, index } of shuffled) {
          const content = arrive(sets, { total: packets.length, index, cp });
          expect(content.faults).toEqual([]);
          for (const one of valuesOf(content)) found.add(one);
        }
        const truth = groups.flatMap(([v, flagged, zs], i) => {
          const flag = flagged ? 'N' : null;
          return [`f${i}-Avg=${v} ${flag}@${TIME}`, ...(zs ? [`f${i}-ZsAvg=${v}7 ${flag}@${TIME}`] : [])];
        });
        expect([...found].sort()).toEqual(truth.sort());
        expect(sets.expire(1e9)).toEqual([]);
      }),
      { seed: 212, numRuns: 600 },
    );
  });

  function cutUp(texts: string[], cuts: number[], way: string): string[] {
    const time = `DataTime=${TIME}`;
    if (way === 'raw') {
      const whole = [time, ...texts].join(';');
      const at = [...new Set(cuts.map((cut) => cut % whole.length))].sort((a, b) => a - b);
      return [0, ...at].map((from, i) => whole.slice(from, at[i]));
    }
    const parts = texts.map((text) => (way === 'timed' ? `${time};${text}` : text));
    return way === 'timed' ? parts : [`${time};${parts[0]}`, ...parts.slice(1)];
  }
});
