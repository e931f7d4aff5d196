import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crcModbus, crcText } from './crc.ts';
import { encodeFrame, encodeSegment } from './encode.ts';
import { type FrameResult, FrameSplitter, type FramingOptions } from './framing.ts';
import { encryptSegment } from './sm4.ts';

const HEAD = { qn: '20260120085857223', st: '31', cn: '2011', pw: '123456', mn: 'A1', flag: 9 };
const PLAIN = encodeSegment({ ...HEAD, cp: 'DataTime=20260120085800;a21026-Rtd=1.2,a21026-Flag=N' });
const KEY = Buffer.alloc(16, 0x30);
const CIPHER = encryptSegment(PLAIN, KEY);
const GOOD = encodeFrame(PLAIN);
const SEALED = encodeFrame(PLAIN, 'standard', CIPHER);

function split(bytes: Uint8Array, options: FramingOptions = {}): FrameResult[] {
  const splitter = new FrameSplitter(options);
  return [...splitter.push(bytes), ...splitter.end()];
}

const codes = (results: FrameResult[]) => results.map((result) => (result.ok ? 'ok' : result.code));
const messages = (results: FrameResult[]) =>
  results.map((result) => (result.ok ? '' : result.message)).join();

/** Cipher text as the standard prints it. */
function inBraces(segment: Buffer): Buffer {
  const from = segment.indexOf('CP=&&') + 5;
  const to = segment.lastIndexOf('&&');
  const end = to - ((to - from) % 16);
  const bytes = [...segment.subarray(from, end)].map(
    (b) => `0x${b.toString(16).toUpperCase().padStart(2, '0')}`,
  );
  return Buffer.concat([
    segment.subarray(0, from),
    Buffer.from(`{${bytes.join(',')}}`),
    segment.subarray(end),
  ]);
}

function withLength(frame: Buffer, length: number): Buffer {
  return Buffer.concat([Buffer.from(`##${String(length).padStart(4, '0')}`), frame.subarray(6)]);
}

describe('an encrypted frame (2025)', () => {
  it('is opened with its key; its checksum is that of the plain text', () => {
    const [found] = split(SEALED, { key: KEY });
    expect(found).toMatchObject({ ok: true, encrypted: true, crc: 'standard' });
    expect(found?.ok && found.segment.equals(PLAIN)).toBe(true);
    expect(found?.ok && found.raw.equals(SEALED.subarray(0, -2))).toBe(true);
  });

  it('is named as one without a key, with another key, or with a key of another length; the next frame is found', () => {
    const both = Buffer.concat([SEALED, GOOD]);
    expect(codes(split(both))).toEqual(['not-decrypted', 'ok']);
    expect(codes(split(both, { key: Buffer.alloc(16, 1) }))).toEqual(['not-decrypted', 'ok']);
    expect(codes(split(both, { key: Buffer.alloc(8) }))).toEqual(['not-decrypted', 'ok']);
  });

  it('may hold anything in its cipher text: it is cut by its length, whatever the stream’s chunks', () => {
    const value = fc.string({ unit: fc.constantFrom(...'0123456789.'), minLength: 1, maxLength: 60 });
    const input = fc.tuple(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(value, { minLength: 1, maxLength: 9 }),
    );
    fc.assert(
      fc.property(input, fc.nat(400), ([key, values], cut) => {
        const cp = values.map((v, i) => `a2100${i}-Rtd=${v}`).join(';');
        const plain = encodeSegment({ ...HEAD, cp });
        const frame = encodeFrame(plain, 'standard', encryptSegment(plain, key));
        const stream = Buffer.concat([frame, frame, GOOD]);
        const splitter = new FrameSplitter({ key, maxSegment: 2_000 });
        const found = [
          ...splitter.push(stream.subarray(0, cut)),
          ...splitter.push(stream.subarray(cut)),
          ...splitter.end(),
        ];
        expect(found.map((one) => one.ok && one.segment.toString())).toEqual(
          [plain, plain, PLAIN].map(String),
        );
      }),
      { seed: 25, numRuns: 400 },
    );
  });

  it('in print notation is read only where the profile allows it, with the length of the notation or of the plain text', () => {
    const printed = encodeFrame(PLAIN, 'standard', inBraces(CIPHER));
    for (const frame of [printed, withLength(printed, PLAIN.length)]) {
      const stream = Buffer.concat([frame, GOOD]);
      expect(codes(split(stream, { key: KEY, braces: true }))).toEqual(['ok', 'ok']);
      expect(codes(split(stream, { key: KEY }))).toEqual(['not-decrypted', 'ok']);
      expect(codes(split(stream))).toEqual(['not-decrypted', 'ok']);
    }
  });

  it('leaves plain frames what they are, damaged ones too: a key weakens nothing', () => {
    const bent = Buffer.from(GOOD.toString('latin1').replace('Rtd=1.2', 'Rtd=1.3'), 'latin1');
    const noisy = Buffer.from(GOOD.toString('latin1').replace('Rtd', '\x01\xff\x02'), 'latin1');
    for (const key of [null, KEY])
      expect(codes(split(Buffer.concat([bent, noisy, GOOD]), { key }))).toEqual([
        'crc-mismatch',
        'crc-mismatch',
        'ok',
      ]);
  });

  it('is not what Chinese text is taken for', () => {
    const chinese = encodeFrame(encodeSegment({ ...HEAD, cp: '名称=数采仪正常运行数采仪正常运行' }));
    const bent = Buffer.from(chinese);
    bent[20] = 0x39;
    expect(codes(split(Buffer.concat([chinese, bent])))).toEqual(['ok', 'crc-mismatch']);
  });

  it('finds its key by the MN that stands in clear text', () => {
    const asked: (string | null)[] = [];
    const peer = (mn: string | null) => {
      asked.push(mn);
      return { key: mn === 'A1' ? KEY : null };
    };
    expect(codes(split(SEALED, { peer }))).toEqual(['ok']);
    expect(asked).toContain('A1');
  });
});

describe('what is wrong with a frame is said so that its maker can mend it', () => {
  it('a checksum whose leading zero was dropped', () => {
    const cp = Array.from({ length: 200 }, (_, i) => `a=${i}`).find((text) =>
      /0[0-9A-F]{3}\r\n$/.test(encodeFrame(encodeSegment({ ...HEAD, cp: text })).toString()),
    );
    const frame = encodeFrame(encodeSegment({ ...HEAD, cp: cp ?? '' }))
      .toString()
      .replace(/0(...\r\n)$/, '$1');
    const found = split(Buffer.from(`${frame}${frame.trimEnd()}${GOOD.toString()}`));
    expect(codes(found)).toEqual(['crc-mismatch', 'crc-mismatch', 'ok']);
    expect(messages(found)).toContain('leading zero was dropped');
  });

  it('a length that counts characters', () => {
    const chinese = encodeSegment({ ...HEAD, cp: '名称=正常' });
    const found = split(Buffer.concat([withLength(encodeFrame(chinese), chinese.toString().length), GOOD]));
    expect(codes(found)).toEqual(['length-mismatch', 'ok']);
    expect(messages(found)).toContain('counts characters, not bytes');
  });

  it('CRC16/MODBUS, and the standard’s where MODBUS is agreed', () => {
    expect(messages(split(encodeFrame(PLAIN, 'modbus')))).toContain('it fits CRC16/MODBUS');
    expect(messages(split(GOOD, { crc: ['modbus'] }))).toContain('it fits the standard’s own CRC');
    expect(crcText(crcModbus(PLAIN))).not.toBe(GOOD.toString('latin1', 6 + PLAIN.length, 10 + PLAIN.length));
  });

  it('a length of three digits; a byte order mark before the first frame is none of its faults', () => {
    const found = split(Buffer.from(`\ufeff${GOOD}##117${GOOD.toString().slice(6)}`));
    expect(codes(found)).toEqual(['ok', 'no-header']);
    expect(messages(found)).toContain('here the length has 3 digits');
  });

  it('a length beyond the frame’s end at once, so that a sender who waits for its answer gets one', () => {
    const splitter = new FrameSplitter();
    expect(codes(splitter.push(withLength(GOOD, 900)))).toEqual(['length-mismatch']);
    expect(codes(splitter.push(GOOD))).toEqual(['ok']);
  });

  it('a frame that is too long, once, and asks how much its sender is allowed', () => {
    const long = encodeFrame(encodeSegment({ ...HEAD, cp: 'x'.repeat(3_000) }));
    expect(codes(split(Buffer.concat([long, GOOD])))).toEqual(['too-long', 'ok']);
    const longer = (head: Buffer) => (head.includes('MN=A1;') ? 4_000 : 0);
    expect(codes(split(Buffer.concat([long, GOOD]), { longer }))).toEqual(['ok', 'ok']);
  });
});

describe('any stream', () => {
  const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const mutated = fc.tuple(fc.constantFrom(GOOD, SEALED), fc.nat(), noise).map(([frame, where, bytes]) => {
    const at = where % frame.length;
    return Buffer.concat([frame.subarray(0, at), bytes, frame.subarray(at + 1)]);
  });
  const piece = fc.oneof(
    fc.constantFrom(GOOD, SEALED, GOOD.subarray(0, 50), GOOD.subarray(0, -2), withLength(GOOD, 9_999)),
    fc.constantFrom(
      withLength(GOOD, 40),
      Buffer.from('noise\n'),
      Buffer.from('##12'),
      Buffer.from('x'.repeat(3_000)),
    ),
    noise,
    mutated,
  );

  it('gives the same results, errors and positions, however it is split into chunks, and accounts for all sound frames', () => {
    const input = fc.tuple(
      fc.array(piece, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 40 }),
    );
    fc.assert(
      fc.property(input, ([pieces, cuts]) => {
        const whole = Buffer.concat([...pieces, Buffer.from('\r\n'), GOOD]);
        const splitter = new FrameSplitter({ key: KEY });
        const found: FrameResult[] = [];
        let at = 0;
        for (const size of cuts) {
          found.push(...splitter.push(whole.subarray(at, at + size)));
          at += size;
        }
        found.push(...splitter.push(whole.subarray(at)), ...splitter.end());
        const short = (results: FrameResult[]) =>
          results.map((r) => [r.at, r.ok ? 'ok' : `${r.code}: ${r.message}`]);
        expect(short(found)).toEqual(short(split(whole, { key: KEY })));
        const ats = found.map((result) => result.at);
        expect(ats).toEqual([...ats].sort((a, b) => a - b));
      }),
      { seed: 212, numRuns: 1_500 },
    );
  });
});
