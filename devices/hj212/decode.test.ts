import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crcModbus, crcStandard, crcText } from './crc.ts';
import { type DecodedFrame, Hj212Decoder } from './decode.ts';

const CLOCK_SEGMENT =
  'QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&';
const MINUTE_SEGMENT =
  'QN=20260110120100123;ST=31;CN=2051;PW=123456;MN=88888880000001;Flag=9;RF=1;CP=&&DataTime=20260110120000;' +
  'a21026-Min=1.10,a21026-Avg=01.50,a21026-Max=2,a21026-Flag=N;a34013-ZsAvg=3.3&&';

function frame(segment: string | Buffer, crc = crcStandard): Buffer {
  const bytes = Buffer.isBuffer(segment) ? segment : Buffer.from(segment);
  return Buffer.concat([
    Buffer.from(`##${String(bytes.length).padStart(4, '0')}`),
    bytes,
    Buffer.from(`${crcText(crc(bytes))}\r\n`),
  ]);
}

function decode(bytes: Uint8Array, options = {}): DecodedFrame[] {
  const decoder = new Hj212Decoder(options);
  return [...decoder.push(bytes), ...decoder.end()];
}

const codes = (frames: DecodedFrame[]) => frames.map((f) => (f.ok ? 'ok' : f.code));

describe('the checksum', () => {
  it('gives the value of the standard’s own example (HJ 212-2017, Appendix A)', () => {
    expect(crcText(crcStandard(Buffer.from(CLOCK_SEGMENT)))).toBe('1C80');
    expect(CLOCK_SEGMENT).toHaveLength(101);
  });

  it('gives the value of the standard’s own example of 2025 (Appendix A.1)', () => {
    const segment = 'QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&';
    expect(decode(Buffer.from(`##0087${segment}2200\r\n`))).toMatchObject([
      { ok: true, edition: 2025, cn: '1011', flag: 9, items: [] },
    ]);
  });

  it('has only eight low bytes, and so says nothing about tampering', () => {
    const low = new Set([0x00, 0x01, 0x40, 0x41, 0x80, 0x81, 0xc0, 0xc1]);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => low.has(crcStandard(bytes) & 0xff)),
      { seed: 1 },
    );
  });
});

describe('a good frame', () => {
  it('of 2017 is taken apart', () => {
    expect(decode(frame(CLOCK_SEGMENT))).toEqual([
      {
        ok: true,
        edition: 2017,
        crc: 'standard',
        qn: '20160801085857223',
        st: '32',
        cn: '1062',
        mn: '010000A8900016F000169DC0',
        flag: 5,
        packet: null,
        dataTime: null,
        resent: false,
        encrypted: false,
        items: [{ code: 'RtdInterval', field: null, value: '30', flag: null }],
      },
    ]);
  });

  it('of 2025 says that it is sent again; numbers keep their text; a missing flag stays missing', () => {
    const [found] = decode(frame(MINUTE_SEGMENT));
    expect(found).toMatchObject({ ok: true, edition: 2025, resent: true, dataTime: '20260110120000' });
    expect(found?.ok && found.items).toEqual([
      { code: 'a21026', field: 'Min', value: '1.10', flag: 'N' },
      { code: 'a21026', field: 'Avg', value: '01.50', flag: 'N' },
      { code: 'a21026', field: 'Max', value: '2', flag: 'N' },
      { code: 'a34013', field: 'ZsAvg', value: '3.3', flag: null },
    ]);
  });

  it('without Flag, or with version 0, is of 2005', () => {
    const old = 'ST=32;CN=2011;PW=123456;MN=0012345;CP=&&DataTime=20100110120000;011-Rtd=100.0,011-Flag=N&&';
    expect(decode(frame(old))[0]).toMatchObject({ ok: true, edition: 2005, flag: null, qn: null });
  });

  it('of a surface-water station that used version 2 years before 2025 is not of 2025', () => {
    const water =
      'QN=20210511101010000;ST=21;CN=2011;PW=123456;MN=A1;Flag=8;CP=&&DataTime=20210511101000;w01001-Rtd=7.1&&';
    expect(decode(frame(water))[0]).toMatchObject({ edition: 2017 });
    expect(decode(frame(water.replaceAll('2021', '2026')))[0]).toMatchObject({ edition: 2025 });
  });

  it('may have its checksum in lower case, no line end, PNO before PNUM and leading zeros', () => {
    const packed =
      'QN=20260110120100123;ST=31;CN=2051;PW=1;MN=A;Flag=6;PNO=0002;PNUM=3;CP=&&DataTime=20260110120000&&';
    const bytes = frame(packed)
      .toString('latin1')
      .trimEnd()
      .replace(/....$/, (crc) => crc.toLowerCase());
    expect(decode(Buffer.from(bytes))[0]).toMatchObject({ ok: true, packet: { total: 3, index: 2 } });
  });

  it('is counted in bytes, with Chinese in UTF-8 or GB 18030', () => {
    const chinese = CLOCK_SEGMENT.replace('30', '正常');
    expect(decode(frame(chinese))[0]).toMatchObject({ items: [{ value: '正常' }] });
    const gb = Buffer.concat([
      Buffer.from('QN=1;CP=&&A='),
      Buffer.from([0xd5, 0xfd, 0xb3, 0xa3]),
      Buffer.from('&&'),
    ]);
    expect(decode(frame(gb))[0]).toMatchObject({ ok: true, items: [{ value: '正常' }] });
  });
});

describe('what makers do otherwise', () => {
  const one = (segment: string) => decode(frame(segment))[0];
  const itemsOf = (segment: string) => {
    const found = one(segment);
    return found?.ok ? found.items : found;
  };
  const HEAD = 'ST=32;CN=2011;MN=A1;Flag=4;';
  const TIME = 'DataTime=20260110120000';

  it('several DataTime in a frame: each item is of its own, and the frame’s is the first', () => {
    const found = one(`${HEAD}CP=&&${TIME},a=1,a-Flag=N,DataTime=20260110130000,a=2;b=3,b-Flag=D&&`);
    expect(found).toMatchObject({ ok: true, dataTime: '20260110120000' });
    expect(found?.ok && found.items).toEqual([
      { code: 'a', field: null, value: '1', flag: 'N' },
      { code: 'a', field: null, value: '2', flag: null, dataTime: '20260110130000' },
      { code: 'b', field: null, value: '3', flag: 'D', dataTime: '20260110130000' },
    ]);
  });

  it('milliseconds in DataTime, a ; before the closing &&, empty pieces, an empty CP', () => {
    expect(one(`${HEAD}CP=&&DataTime=20260110120000123;a-Rtd=1,;;&&`)).toMatchObject({
      dataTime: '20260110120000123',
      items: [{ code: 'a', field: 'Rtd', value: '1' }],
    });
    expect(one(`${HEAD}CP=&&&&`)).toMatchObject({ ok: true, dataTime: null, items: [] });
  });

  it('Flag behind CP, inside CP, without a value, or in capitals', () => {
    expect(one(`ST=32;CN=2011;MN=A1;CP=&&${TIME}&&;Flag=5`)).toMatchObject({ flag: 5, edition: 2017 });
    expect(one(`ST=32;CN=2011;MN=A1;CP=&&${TIME};Flag=5;a-Rtd=1&&`)).toMatchObject({ flag: 5 });
    expect(one(`ST=32;CN=2011;MN=A1;Flag=;CP=&&${TIME}&&`)).toMatchObject({ flag: null, edition: 2005 });
    expect(one(`ST=32;CN=2011;MN=A1;FLAG=5;CP=&&${TIME}&&`)).toMatchObject({ flag: 5 });
  });

  it('logs between //, which hold any signs', () => {
    expect(itemsOf(`${HEAD}CP=&&${TIME};i11001-Info=//R: 1;2,3=&&x//;i13007-Info=3.5&&`)).toMatchObject([
      { code: 'i11001', field: 'Info', value: '//R: 1;2,3=&&x//' },
      { code: 'i13007', field: 'Info', value: '3.5' },
    ]);
  });

  it('the same field twice: the same said twice is no fault, two devices are', () => {
    expect(one(`MN=1;MN=1;CP=&&${TIME}&&`)).toMatchObject({ ok: true, mn: '1' });
    expect(one(`MN=1;MN=2;CP=&&${TIME}&&`)).toMatchObject({ ok: false, code: 'field' });
  });

  it('text of many bytes before a fault: its position is counted in bytes', () => {
    const good = frame(CLOCK_SEGMENT);
    const before = `${HEAD}CP=&&名=数采仪;`;
    const faults = [Buffer.from(before), gb18030(before)].map((head) => {
      const bytes = frame(Buffer.concat([head, Buffer.from('broken&&')]));
      const [, found] = decode(Buffer.concat([good, bytes]));
      expect(found).toMatchObject({ ok: false, code: 'field' });
      return found?.ok === false ? found.at - good.length - 6 - head.length : null;
    });
    expect(faults).toEqual([0, 0]);
  });

  /** The four characters that the test above uses. */
  function gb18030(text: string): Buffer {
    const codes: Record<string, number[]> = {
      名: [0xc3, 0xfb],
      数: [0xca, 0xfd],
      采: [0xb2, 0xc9],
      仪: [0xd2, 0xc7],
    };
    return Buffer.from([...text].flatMap((c) => codes[c] ?? [c.charCodeAt(0)]));
  }
});

describe('CRC16/MODBUS', () => {
  const bytes = frame(CLOCK_SEGMENT, crcModbus);
  it('is refused unless it is allowed, and the message says so', () => {
    expect(decode(bytes)).toMatchObject([
      { ok: false, code: 'crc-mismatch', message: expect.stringContaining('MODBUS') },
    ]);
  });
  it('is named when it is allowed', () => {
    expect(decode(bytes, { crc: ['standard', 'modbus'] })).toMatchObject([{ ok: true, crc: 'modbus' }]);
  });
});

describe('damage is named with its position, and the next frame is found', () => {
  const good = frame(CLOCK_SEGMENT);
  const cases: [string, Buffer, string][] = [
    [
      'a changed byte',
      Buffer.from(good.toString().replace('RtdInterval=30', 'RtdInterval=31')),
      'crc-mismatch',
    ],
    [
      'a length that is too short',
      Buffer.from(good.toString().replace('##0101', '##0098')),
      'length-mismatch',
    ],
    [
      'a length that is too long',
      Buffer.from(good.toString().replace('##0101', '##0120')),
      'length-mismatch',
    ],
    ['a length beyond what is allowed', Buffer.from(good.toString().replace('##0101', '##9999')), 'too-long'],
    ['a frame cut short', Buffer.concat([good.subarray(0, 60), Buffer.from('\n')]), 'length-mismatch'],
    ['a line that is no frame', Buffer.from('hello\r\n'), 'no-header'],
    [
      'a time that does not exist',
      frame(MINUTE_SEGMENT.replace('20260110120000;', '20260230120000;')),
      'data-time',
    ],
    ['a field without a value', frame(CLOCK_SEGMENT.replace('ST=32', 'ST32')), 'field'],
    ['no CP', frame('QN=1;ST=32;CN=2011'), 'no-cp'],
    ['a Flag that is no number', frame(CLOCK_SEGMENT.replace('Flag=5', 'Flag=x')), 'flag'],
    ['packet 4 of 3', frame(CLOCK_SEGMENT.replace('Flag=5', 'Flag=6;PNUM=3;PNO=4')), 'packet'],
  ];
  for (const [what, broken, code] of cases) {
    it(what, () => {
      const frames = decode(Buffer.concat([good, broken, good]));
      expect(codes(frames)).toEqual(['ok', code, 'ok']);
      const at = frames[1]?.ok === false ? frames[1].at : -1;
      expect(at).toBeGreaterThanOrEqual(good.length - 2);
      expect(at).toBeLessThan(good.length + broken.length);
    });
  }

  it('a stream that ends within a frame', () => {
    expect(codes(decode(good.subarray(0, 60)))).toEqual(['incomplete']);
  });
});

describe('any stream', () => {
  it('gives the same frames however it is split into segments', () => {
    const piece = fc.oneof(
      fc.constant(frame(CLOCK_SEGMENT)),
      fc.constant(frame(MINUTE_SEGMENT)),
      fc.constant(Buffer.from('noise\n')),
      fc.constant(frame(CLOCK_SEGMENT).subarray(0, 40)),
    );
    const input = fc.tuple(fc.array(piece, { maxLength: 6 }), fc.array(fc.nat(200), { maxLength: 30 }));
    fc.assert(
      fc.property(input, ([pieces, cuts]) => {
        const whole = Buffer.concat(pieces);
        const decoder = new Hj212Decoder();
        const frames: DecodedFrame[] = [];
        let at = 0;
        for (const size of cuts) {
          frames.push(...decoder.push(whole.subarray(at, at + size)));
          at += size;
        }
        frames.push(...decoder.push(whole.subarray(at)), ...decoder.end());
        expect(frames.filter((f) => f.ok)).toEqual(decode(whole).filter((f) => f.ok));
      }),
      { seed: 212, numRuns: 300 },
    );
  });

  it('of random or mutated bytes neither throws nor loops, and accounts for positions in order', () => {
    const mutated = fc
      .tuple(fc.constantFrom(CLOCK_SEGMENT, MINUTE_SEGMENT), fc.nat(), fc.uint8Array({ maxLength: 5 }))
      .map(([segment, where, bytes]) => {
        const base = frame(segment);
        const at = where % base.length;
        return Buffer.concat([base.subarray(0, at), bytes, base.subarray(at + 1), base]);
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 3000 })), (bytes) => {
        const errors = decode(bytes).filter((f) => !f.ok);
        const positions = errors.map((f) => (f.ok ? 0 : f.at));
        expect(positions.every((p) => p >= 0 && p <= bytes.length)).toBe(true);
      }),
      { seed: 212, numRuns: 2000 },
    );
  });

  it('that never begins a frame is held in bounded memory', () => {
    const decoder = new Hj212Decoder();
    let given = 0;
    for (let i = 0; i < 1000; i += 1) given += decoder.push(Buffer.alloc(1000, 'x')).length;
    expect(given).toBeGreaterThan(400);
  });
});
