import { describe, expect, it } from 'vitest';
import { Hj212Profile, type Statistic } from '../../contracts/index.ts';
import { factorTable } from '../hj212/factors.ts';
import { toReadings } from '../hj212/readings.ts';
import { loadTemplates } from './templates.ts';

const AIR = ['a21026', 'a21002', 'a34013'];
const STACK = ['a19001', 'a01011', 'a01012', 'a01013', 'a01014', 'a00000'];
const WATER = ['w01018', 'w21003', 'w21011', 'w21001', 'w01001', 'w01010', 'w00000'];

/** Readings of a frame that says everything that the standard has for these factors. */
function readingsOf(codes: readonly string[], st: string, statistic: Statistic, fields: readonly string[]) {
  const items = codes.flatMap((code) => fields.map((field) => ({ code, field, value: '1', flag: 'N' })));
  const frame = { edition: 2017 as const, st, dataTime: '20261122080000', items, statistic };
  const rules = {
    profile: Hj212Profile.parse({}),
    device: undefined,
    table: factorTable(),
    utcOffsetMs: 28_800_000,
  };
  return toReadings(frame, rules);
}

describe('templates of the product', () => {
  it('all hold together', () => {
    expect([...loadTemplates().keys()]).toEqual(
      expect.arrayContaining(['camera', 'dust', 'noise', 'river', 'water', 'flue-gas', 'waste-water']),
    );
  });

  it.each<[string, string, Statistic, string[], string[]]>([
    ['flue-gas', '31', 'instant', [...AIR, ...STACK], ['Rtd']],
    ['flue-gas', '31', 'instant', AIR, ['ZsRtd']],
    ['flue-gas', '31', 'minute', [...AIR, ...STACK], ['Min', 'Avg', 'Max']],
    ['flue-gas', '31', 'hour', AIR, ['Cou', 'ZsMin', 'ZsAvg', 'ZsMax']],
    ['flue-gas', '31', 'day', ['a00000'], ['Cou', 'Avg']],
    ['waste-water', '32', 'instant', WATER, ['Rtd']],
    ['waste-water', '32', 'minute', WATER, ['Min', 'Avg', 'Max']],
    ['waste-water', '32', 'hour', ['w01018', 'w21003', 'w00000'], ['Cou']],
  ])(
    '%s declares what HJ 212 frames of ST=%s carry (%s), in the table’s units',
    (name, st, statistic, codes, fields) => {
      const { readings, rejected } = readingsOf(codes, st, statistic, fields);
      expect(rejected).toEqual([]);
      expect(readings).toHaveLength(codes.length * fields.length);
      const declared = loadTemplates().get(name)?.datastreams ?? [];
      for (const { property, unit } of readings) {
        const stream = declared.find((d) => d.property === property && d.statistic === statistic);
        expect([property, stream?.unit]).toEqual([property, unit]);
      }
    },
  );
});
