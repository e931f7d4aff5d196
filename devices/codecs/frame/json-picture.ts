import { z } from 'zod';
import { describeProblems, problemsOf } from '../../../backbone/validation.ts';
import { WireTime } from '../../../contracts/index.ts';
import { type Rejected, rejected, shown } from '../codec.ts';
import { parseJson } from '../json-text.ts';
import { pictureType } from './picture-type.ts';

/**
 * A picture as JSON, for clients that cannot send bytes:
 *
 *   {"image": "<base64, or a data: URL>", "time": "2026-11-22T22:05:00+08:00", "mediaType": "image/jpeg", "camera": "cam-01"}
 *
 * Only `image` must be there. Base64 is that of RFC 4648, section 4 or 5 (`+/` or `-_`), with its padding or without, line
 * breaks allowed; anything else in it is refused with its position: a decoder that passes over it makes another picture.
 * How large the picture will be is seen before a byte of it is decoded.
 */
export const JsonPicture = z.strictObject({
  image: z.string().min(1).describe('The picture in base64, or a data: URL with it'),
  time: WireTime.optional().describe('When it was taken: RFC 3339 with a zone, or epoch milliseconds'),
  mediaType: z
    .enum(['image/jpeg', 'image/png', 'image/webp'])
    .optional()
    .describe('Format of the picture; has to fit its bytes'),
  camera: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Id or address of the camera, where the topic names none'),
});

export interface PictureBytes {
  bytes: Buffer;
  /** Epoch ms; null: it does not say. */
  time: number | null;
  camera: string | null;
}

/** Whether a payload means to be JSON: no picture begins with a brace. */
export function isJsonPicture(payload: Buffer): boolean {
  const head = payload.toString('latin1', 0, 64).replace(/^\xef\xbb\xbf/, '');
  return /^[ \t\r\n]*\{/.test(head);
}

export function decodeJsonPicture(
  payload: Buffer,
  mostBytes: number,
): PictureBytes | ({ kind: 'rejected' } & Rejected) {
  const json = parseJson(payload.toString('utf8'));
  if (!json.ok) return rejected(json.reason, json.detail);
  const parsed = JsonPicture.safeParse(json.value);
  if (!parsed.success) {
    const problems = problemsOf(parsed.error, json.value, JsonPicture).slice(0, 5);
    return rejected('schema', describeProblems(problems).replaceAll('\n', '. '));
  }
  const { image, time = null, mediaType, camera = null } = parsed.data;
  const url = splitDataUrl(image);
  if ('detail' in url) return rejected('schema', url.detail);
  const bytes = decodeBase64(url.base64, url.at, mostBytes);
  if (!Buffer.isBuffer(bytes)) return rejected(bytes.reason, bytes.detail);
  const found = pictureType(bytes);
  for (const said of [mediaType, url.mediaType]) {
    if (said === undefined || found === null || said === found) continue;
    return rejected(
      'not-a-picture',
      `image: ${found} found where ${said} is said; what fits its bytes is allowed`,
    );
  }
  return { bytes, time, camera };
}

interface DataUrl {
  base64: string;
  /** Where it begins in `image`. */
  at: number;
  mediaType: string | undefined;
}

/** RFC 2397: `data:image/jpeg;base64,…`. */
function splitDataUrl(image: string): DataUrl | { detail: string } {
  if (!/^data:/i.test(image)) return { base64: image, at: 0, mediaType: undefined };
  const head = /^data:([^,]{0,100}),/i.exec(image.slice(0, 120));
  const parts = (head?.[1] ?? '').toLowerCase().split(';');
  if (head === null || parts.at(-1)?.trim() !== 'base64') {
    return {
      detail: `image: ${shown(image.slice(0, 40))} found; data:<media type>;base64,<picture> is allowed`,
    };
  }
  const [stated = ''] = parts;
  // What browsers and cameras commonly write for it.
  const mediaType = stated === 'image/jpg' ? 'image/jpeg' : stated;
  return {
    base64: image.slice(head[0].length),
    at: head[0].length,
    mediaType: /^image\//.test(mediaType) ? mediaType : undefined,
  };
}

function decodeBase64(text: string, at: number, mostBytes: number): Buffer | Rejected {
  const foreign = text.search(/[^A-Za-z0-9+/_\-=\r\n]/);
  if (foreign >= 0) {
    const found = shown(String.fromCodePoint(text.codePointAt(foreign) ?? 0));
    return {
      reason: 'schema',
      detail: `image: ${found} found at ${at + foreign}; base64 (RFC 4648) is allowed`,
    };
  }
  const packed = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]+/g, '') : text;
  const padding = packed.indexOf('=');
  const digits = padding < 0 ? packed.length : padding;
  const padded = packed.length - digits;
  if (padding >= 0 && !(/^={1,2}$/.test(packed.slice(padding)) && (digits + padded) % 4 === 0)) {
    const detail = `image: = found after ${digits} digits of base64, ${padded} in all after it; padding to a multiple of 4, at the end, is allowed`;
    return { reason: 'schema', detail };
  }
  if (digits % 4 === 1) {
    return {
      reason: 'schema',
      detail: `image: ${digits} digits of base64 found, which no bytes have; is it cut short?`,
    };
  }
  const size = Math.floor((digits * 3) / 4);
  if (size > mostBytes) {
    const detail = `image: a picture of ${size} bytes; at most ${mostBytes} are allowed`;
    return { reason: 'payload-too-large', detail };
  }
  // Node's decoder takes both alphabets.
  return Buffer.from(packed, 'base64');
}
