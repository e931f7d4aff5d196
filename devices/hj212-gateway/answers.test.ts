import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hj212Profile } from '../../contracts/index.ts';
import { answerTo, encodeAnswer } from './answers.ts';
import { cpOf, localTime, parseLocalTime } from './commands.ts';
import { readHead } from './head.ts';

const SEGMENT =
  'QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&';
const head = (segment: string) => readHead(Buffer.from(segment, 'latin1'));
const options = { replyWithoutFlag: false };

describe('the head of a frame', () => {
  it('is read without judging the rest', () => {
    const expected = {
      qn: '20160801085857223',
      st: '32',
      cn: '1062',
      pw: '100000',
      mn: '010000A8900016F000169DC0',
      flag: 5,
    };
    expect(head(SEGMENT)).toEqual(expected);
    expect(head(SEGMENT.replace('Flag', 'FLAG').replace('CP=&&', 'cp = &&'))).toEqual(expected);
    expect(head(SEGMENT.replace(/CP=.*/, 'CP=&&\xe4\x3e&&\x00;MN=X;&&'))).toEqual(expected);
    expect(head(SEGMENT.replace('Flag=5;', '').replace('&&R', '&&Flag=5;R'))).toEqual(expected);
    expect(head(`ST=32;CN=2011;CP=&&DataTime=20160801085857&&;MN=010000A8900016F000169DC0`).mn).toBe(
      expected.mn,
    );
  });

  it('never holds what could not be echoed or stand in a topic', () => {
    expect(head('MN=a/b;QN=1\r\n2;PW=\x00;CP=&&&&')).toMatchObject({ mn: null, pw: null, qn: null });
    expect(head(`MN=${'x'.repeat(65)};Flag=256;CP=&&&&`)).toMatchObject({ mn: null, flag: null });
    const inTopic = /^[\x21-\x7e]{1,64}$/;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
        const { mn, qn } = readHead(Buffer.from(bytes));
        return [mn, qn].every((one) => one === null || inTopic.test(one));
      }),
      { seed: 1 },
    );
  });
});

describe('what a frame is answered with', () => {
  it.each([
    ['2011', 5, '9014'],
    ['2051', 9, '9014'],
    ['3020', 5, '9014'],
    ['1013', 5, '9013'],
    ['9015', 9, '9013'],
    ['2011', 4, 'not-asked'],
    ['9015', 8, 'not-asked'],
    ['9011', 5, 'is-reply'],
    ['9014', 5, 'is-reply'],
  ])('CN=%s Flag=%i: %s', (cn, flag, answer) => {
    expect(answerTo({ ...head(SEGMENT), cn, flag }, options)).toBe(answer);
  });

  it('without Flag is a matter of configuration', () => {
    const old = { ...head(SEGMENT), cn: '2011', flag: null };
    expect(answerTo(old, options)).toBe('not-asked');
    expect(answerTo(old, { replyWithoutFlag: true })).toBe('9014');
  });

  it('is written in the edition of the frame, or of the profile', () => {
    const text = (flag: number | null, profile?: object) =>
      encodeAnswer(
        '9014',
        { ...head(SEGMENT), flag },
        profile ? Hj212Profile.parse(profile) : null,
      ).toString();
    // Checksums by tests/foreign/hj212_device.py.
    expect(text(5)).toBe(
      '##0087QN=20160801085857223;ST=91;CN=9014;PW=100000;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&71C0\r\n',
    );
    expect(text(9)).toContain(';Flag=8;CP=&&&&');
    expect(text(9, { edition: '2017' })).toContain(';Flag=4;CP=&&&&');
    expect(text(null)).toContain(';Flag=0;CP=&&QN=20160801085857223&&');
    expect(text(5, { crc: 'modbus' })).toBe(
      '##0087QN=20160801085857223;ST=91;CN=9014;PW=100000;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&AEC0\r\n',
    );
  });
});

describe('what a request says', () => {
  const local = (time: number) => localTime(time, 8 * 3_600_000);

  it('is written as the standard writes it, in local time', () => {
    const now = Date.UTC(2016, 7, 1, 0, 58, 57);
    expect(cpOf({ cn: '1012' }, now, local)).toBe('SystemTime=20160801085857');
    expect(cpOf({ cn: '1012', polId: 'w01018' }, now, local)).toBe('PolId=w01018;SystemTime=20160801085857');
    expect(cpOf({ cn: '1012', time: '2016-08-01T08:00:00+08:00' }, now, local)).toBe(
      'SystemTime=20160801080000',
    );
    expect(cpOf({ cn: '1064', intervalMin: 10 }, now, local)).toBe('MinInterval=10');
    expect(cpOf({ cn: '2011' }, now, local)).toBe('');
  });

  it('gives times that can be read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 946_684_800, max: 4_102_444_799 }), (seconds) => {
        return parseLocalTime(local(seconds * 1_000), 8 * 3_600_000) === seconds * 1_000;
      }),
      { seed: 1 },
    );
    expect(parseLocalTime('soon', 0)).toBeNull();
  });
});
