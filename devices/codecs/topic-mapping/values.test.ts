import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MappedTime } from './config.ts';
import { toNumber } from './number.ts';
import { compileTime } from './time.ts';

const HOUR = 3_600_000;
const RECEIVED = 1_795_000_000_000;

describe('a number from a payload', () => {
  const rule = (scale = 1, offset = 0, words: [string, number][] = []) => ({
    scale,
    offset,
    words: new Map(words),
  });

  it.each([
    [23.5, 23.5],
    ['23.5', 23.5],
    [' +0023.50 ', 23.5],
    ['-1.2e-3', -0.0012],
    ['.5', 0.5],
    ['5.', 5],
  ])('%j is %d', (found, wanted) => {
    expect(toNumber(found, rule())).toEqual({ value: wanted });
  });

  it.each([
    ['nan', 'value-not-finite'],
    ['-Infinity', 'value-not-finite'],
    [Number.POSITIVE_INFINITY, 'value-not-finite'],
    ['1e999', 'value-not-finite'],
    ['', 'schema'],
    ['0x10', 'schema'],
    ['1,5', 'schema'],
    ['23.5 C', 'schema'],
    [true, 'schema'],
    [null, 'schema'],
    [[1], 'schema'],
    [{}, 'schema'],
  ])('%j is none: %s', (found, reason) => {
    expect(toNumber(found, rule())).toMatchObject({ reason });
  });

  it.each([
    [3, 0.1, 0, 0.3],
    [235, 0.1, 0, 23.5],
    [1234, 0.001, 0, 1.234],
    [1.1, 1.1, 0, 1.21],
    [6.2515, 100, 0, 625.15],
    [2981.6, 0.1, -273.15, 25.01],
    [1, 1 / 3, 0, 1 / 3],
    [1e21, 10, 0, 1e22],
    [-0.7, 0.1, 0.07, 0],
  ])('%d × %d + %d is %d, without noise', (raw, scale, offset, wanted) => {
    expect(toNumber(raw, rule(scale, offset))).toEqual({ value: expect.closeTo(wanted, 15) });
    if (wanted !== 0) expect(toNumber(raw, rule(scale, offset))).toEqual({ value: wanted });
  });

  it('in tenths is what a person would write', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        fc.integer({ min: 1, max: 6 }),
        (raw, places) => {
          const got = toNumber(raw, rule(Number(`1e-${places}`)));
          expect(got).toEqual({ value: Number(`${raw}e-${places}`) });
        },
      ),
      { seed: 5 },
    );
  });

  it('words stand for numbers, and are not scaled', () => {
    const states = rule(10, 5, [
      ['ON', 1],
      ['false', 0],
    ]);
    expect(toNumber('ON', states)).toEqual({ value: 1 });
    expect(toNumber(false, states)).toEqual({ value: 0 });
    expect(toNumber('OFF', states)).toMatchObject({ problem: expect.stringContaining('"ON"') });
  });
});

describe('a time from a payload', () => {
  const read = (spec: Record<string, unknown>, payload: unknown) => {
    const time = compileTime(MappedTime.parse({ path: 't', ...spec }), 8 * HOUR);
    if (typeof time === 'string') throw new Error(time);
    return time(payload, RECEIVED);
  };
  const at = (text: string) => Date.parse(text);

  it.each([
    ['rfc3339', '2026-11-18T19:06:40+08:00', '2026-11-18T11:06:40Z'],
    ['rfc3339', '2022-07-18T09:34:15.775023242+00:00', '2022-07-18T09:34:15.775Z'],
    ['epoch-s', 1_795_000_000, '2026-11-18T11:06:40Z'],
    ['epoch-s', '1795000000.5', '2026-11-18T11:06:40.500Z'],
    ['epoch-ms', 1_795_000_000_000, '2026-11-18T11:06:40Z'],
    ['local', '2026-11-18T19:06:40', '2026-11-18T11:06:40Z'],
    ['local', '2026-11-18 19:06:40.25', '2026-11-18T11:06:40.250Z'],
    ['local', '2026/11/18 19:06', '2026-11-18T11:06:00Z'],
    ['local', '2018.02.15 01:00:50', '2018-02-14T17:00:50Z'],
    ['local', '20261118190640', '2026-11-18T11:06:40Z'],
    ['local', 20_261_118_190_640, '2026-11-18T11:06:40Z'],
    ['local', '2026-11-18T19:06:40Z', '2026-11-18T19:06:40Z'],
    ['local', '2028-02-29T00:00:00', '2028-02-28T16:00:00Z'],
  ])('%s %j is %s', (format, t, wanted) => {
    expect(read({ format }, { t })).toBe(at(wanted));
  });

  it.each([
    ['rfc3339', '2026-11-18T19:06:40'],
    ['rfc3339', 1_795_000_000_000],
    ['epoch-s', 'yesterday'],
    ['epoch-s', null],
    ['local', '2026-02-30T00:00:00'],
    ['local', '2026-11-18T24:00:00'],
    ['local', '2026-11-18T19:60:00'],
    ['local', '2026-13-01T00:00:00'],
    ['local', '2026-11-18'],
    ['local', '0T00:05:10'],
    ['local', ''],
  ])('%s %j is none', (format, t) => {
    expect(read({ format }, { t })).toEqual({ problem: expect.stringContaining('t: ') });
  });

  it("a device's own zone holds before that of the site", () => {
    expect(read({ format: 'local', utcOffset: '-03:30' }, { t: '2026-11-18T07:36:40' })).toBe(
      at('2026-11-18T11:06:40Z'),
    );
  });

  it('that of receipt holds where the mapping says so', () => {
    expect(read({ format: 'rfc3339', orReceived: true }, {})).toBe(RECEIVED);
    expect(read({ format: 'rfc3339', orReceived: true }, { t: 'x' })).toHaveProperty('problem');
    expect(read({ format: 'received', path: null }, {})).toBe(RECEIVED);
  });

  it('written in local time comes back, whatever the moment and the zone', () => {
    const moment = fc.integer({ min: at('2000-01-02T00:00:00Z'), max: at('2099-12-30T00:00:00Z') });
    fc.assert(
      fc.property(moment, fc.integer({ min: -12, max: 14 }), (time, hours) => {
        const utcOffset = `${hours < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}:00`;
        const t = new Date(time + hours * HOUR).toISOString().replace('Z', '');
        expect(read({ format: 'local', utcOffset }, { t })).toBe(time);
      }),
      { seed: 11 },
    );
  });
});
