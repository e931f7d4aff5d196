import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeJsonPicture, isJsonPicture } from './json-picture.ts';

const JPEG = [0xff, 0xd8, 0xff, 0xe0];
const decode = (value: unknown, most = 100_000) =>
  decodeJsonPicture(Buffer.from(JSON.stringify(value)), most);

describe('a picture as JSON', () => {
  it('comes out as it went in, whichever alphabet, padding, line breaks or data URL', () => {
    const dress = fc.record({
      encoding: fc.constantFrom('base64' as const, 'base64url' as const),
      padding: fc.boolean(),
      width: fc.constantFrom(0, 1, 60, 76),
      url: fc.constantFrom('', 'data:image/jpeg;base64,', 'data:image/jpg;base64,', 'DATA:;base64,'),
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), dress, (rest, { encoding, padding, width, url }) => {
        const bytes = Buffer.from([...JPEG, ...rest]);
        const plain = bytes.toString(encoding).replaceAll('=', '');
        const padded = padding ? plain.padEnd(Math.ceil(plain.length / 4) * 4, '=') : plain;
        const text = width === 0 ? padded : padded.replaceAll(new RegExp(`.{${width}}`, 'g'), '$&\r\n');
        expect(decode({ image: url + text })).toMatchObject({ bytes, time: null, camera: null });
      }),
      { numRuns: 1_000, seed: 8 },
    );
  });

  it('with a character that base64 does not have is refused, with its place', () => {
    const good = Buffer.from(JPEG).toString('base64');
    fc.assert(
      fc.property(fc.nat(5), fc.string({ minLength: 1, maxLength: 1 }), (at, wrong) => {
        fc.pre(!/[A-Za-z0-9+/_\-=\r\n]/.test(wrong));
        const image = good.slice(0, at) + wrong + good.slice(at);
        expect(decode({ image })).toMatchObject({
          reason: 'schema',
          detail: expect.stringContaining(`found at ${at}`),
        });
      }),
      { seed: 9 },
    );
  });

  it.each([
    ['data:image/jpeg,/9j/4AAQ', 'data:<media type>;base64,<picture> is allowed'],
    [`data:${'x'.repeat(200)};base64,/9j/4AAQ`, 'data:<media type>;base64,<picture> is allowed'],
    ['/9j/4A=', 'padding to a multiple of 4'],
    ['/9j/4A===', 'padding to a multiple of 4'],
    ['/9j/4', 'cut short'],
  ])('that is no base64 is refused: %s', (image, says) => {
    expect(decode({ image })).toMatchObject({ reason: 'schema', detail: expect.stringContaining(says) });
  });

  it('is measured before it is decoded, to the byte', () => {
    const image = (bytes: number) =>
      Buffer.concat([Buffer.from(JPEG), Buffer.alloc(bytes - 4)]).toString('base64');
    expect(decode({ image: image(1_000) }, 1_000)).toHaveProperty('bytes');
    expect(decode({ image: image(1_001) }, 1_000)).toMatchObject({
      reason: 'payload-too-large',
      detail: 'image: a picture of 1001 bytes; at most 1000 are allowed',
    });
  });

  it('is told by its first brace', () => {
    expect(isJsonPicture(Buffer.from(' \r\n{"image": ""}'))).toBe(true);
    expect(isJsonPicture(Buffer.from('\ufeff{}'))).toBe(true);
    for (const other of ['', '[]', '"{"', '\u00ff{']) expect(isJsonPicture(Buffer.from(other))).toBe(false);
  });

  it('never throws, and invents nothing', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('data:', ';base64,', ',', '/9j/', '====', '\n'));
    const image = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    const value = fc.oneof(
      fc.record({ image }),
      fc.record({ image, time: fc.anything(), mediaType: fc.anything() }),
      fc.anything(),
    );
    fc.assert(
      fc.property(value, (one) => {
        const text = JSON.stringify(one);
        fc.pre(text !== undefined);
        const picture = decodeJsonPicture(Buffer.from(text), 1_000);
        if ('kind' in picture) expect(picture.kind).toBe('rejected');
        else expect(picture.bytes.length).toBeLessThanOrEqual(1_000);
      }),
      { numRuns: 3_000, seed: 10 },
    );
  });
});
