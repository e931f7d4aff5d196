import { type MtAiValue, SequenceEvents } from 'cbor2';
import { rejected } from '../codec.ts';

/**
 * CBOR (RFC 8949) as SenML uses it: one data item, numbers as doubles, maps by text label. cbor2 reads the bytes; what
 * is built of them, how deep and how much, is decided here, so that nothing is allocated on the word of a length field,
 * and a fault can be told with the byte at which it stands.
 *
 * Taken beyond RFC 8428: items of indefinite length, tag 55799 in front, text labels where integers are defined.
 * A tag that is not known is passed over where nobody looks, and is a value of the wrong type elsewhere.
 */
export type CborResult = { ok: true; value: unknown } | ({ ok: false } & ReturnType<typeof rejected>);

/** Major types (RFC 8949, 3.1). */
const TEXT = 3;
const BYTES = 2;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const INDEFINITE = 31;

const MOST_DEPTH = 8;
/** Ten thousand records of all fields have fewer. */
const MOST_TOKENS = 250_000;
/** A decimal exponent beyond this is zero or infinite in a double whatever the mantissa of 16 bytes is. */
const MOST_EXPONENT = 1_000;
const MOST_BIGNUM_BYTES = 16;

/** What a tag of no meaning here held. */
export class Tagged {
  readonly tag: number;
  constructor(tag: number) {
    this.tag = tag;
  }
}

class Fault extends Error {}

export function decodeCbor(bytes: Buffer): CborResult {
  const reader = new Reader(bytes);
  try {
    const value = reader.item(0);
    const more = reader.next();
    if (more === undefined) return { ok: true, value };
    return { ok: false, ...rejected('malformed', `payload: CBOR ends at byte ${more[3]}, and more follows`) };
  } catch (error) {
    const why = error instanceof Fault ? error.message : libraryFault(error);
    return { ok: false, ...rejected('malformed', `payload: CBOR, item at byte ${reader.at}: ${why}`) };
  }
}

/** The library's own errors, in words: all but the first are exact already. */
function libraryFault(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/outside the bounds|end of stream|mix BigInt/i.test(text))
    return 'cut short: more bytes were announced';
  if (/not valid for encoding/i.test(text)) return 'text that is not UTF-8';
  return text.slice(0, 160);
}

class Reader {
  /** Where the item that is being read, or was read last, begins. */
  at = 0;
  #tokens = 0;
  #events: SequenceEvents;

  constructor(bytes: Buffer) {
    this.#events = new SequenceEvents(bytes, { maxDepth: MOST_DEPTH + 1 });
  }

  next(): MtAiValue | undefined {
    const token = this.#events.read();
    if (token === undefined) return undefined;
    this.at = token[3];
    this.#tokens += 1;
    if (this.#tokens > MOST_TOKENS) throw new Fault(`more than ${MOST_TOKENS} items`);
    return token;
  }

  item(depth: number): unknown {
    const token = this.next();
    if (token === undefined) throw new Fault('cut short: an item is missing');
    if (isBreak(token)) throw new Fault('a break where an item was due');
    return this.#value(token, depth);
  }

  #value([major, info, value]: MtAiValue, depth: number): unknown {
    if (depth > MOST_DEPTH) throw new Fault(`nested deeper than ${MOST_DEPTH}`);
    const indefinite = info === INDEFINITE;
    if (major === ARRAY) return this.#array(indefinite ? Infinity : Number(value), depth);
    if (major === MAP) return this.#map(indefinite ? Infinity : Number(value), depth);
    if (major === TAG) return this.#tagged(Number(value), depth);
    if (indefinite && (major === TEXT || major === BYTES)) return this.#joined(major);
    return typeof value === 'bigint' ? Number(value) : value;
  }

  #array(length: number, depth: number): unknown[] {
    const items: unknown[] = [];
    for (const token of this.#items(length)) items.push(this.#value(token, depth + 1));
    return items;
  }

  #map(length: number, depth: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (const token of this.#items(length)) {
      const at = this.at;
      const label = this.#value(token, depth + 1);
      if (map.has(label)) throw new Fault(`label ${String(label).slice(0, 40)} at byte ${at} stands twice`);
      map.set(label, this.item(depth + 1));
    }
    return map;
  }

  /** The first token of each item, up to the length or the break. */
  *#items(length: number): Generator<MtAiValue> {
    for (let n = 0; n < length; n += 1) {
      const token = this.next();
      if (token === undefined) throw new Fault('cut short: an item is missing');
      if (isBreak(token)) {
        if (length === Infinity) return;
        throw new Fault('a break where an item was due');
      }
      yield token;
    }
  }

  #joined(major: number): unknown {
    const chunks: (string | Uint8Array)[] = [];
    for (const [, , chunk] of this.#items(Infinity)) chunks.push(chunk as string | Uint8Array);
    return major === TEXT ? chunks.join('') : Buffer.concat(chunks as Uint8Array[]);
  }

  #tagged(tag: number, depth: number): unknown {
    const content = this.item(depth + 1);
    if (tag === 55_799) return content;
    if (tag === 2 || tag === 3) return bignum(content, tag === 3);
    if (tag === 4) return decimalFraction(content);
    return new Tagged(tag);
  }
}

function isBreak([, , value]: MtAiValue): boolean {
  return typeof value === 'symbol';
}

/** RFC 8949, 3.4.3. */
function bignum(content: unknown, negative: boolean): number {
  if (!(content instanceof Uint8Array)) throw new Fault('a bignum must be bytes');
  if (content.length > MOST_BIGNUM_BYTES) throw new Fault(`a bignum of more than ${MOST_BIGNUM_BYTES} bytes`);
  const size = BigInt(`0x0${Buffer.from(content).toString('hex')}`);
  return Number(negative ? -1n - size : size);
}

/** RFC 8949, 3.4.4: [exponent, mantissa]. Through decimal text, so that 273.15 becomes the very double 273.15. */
function decimalFraction(content: unknown): number {
  const [exponent, mantissa] = Array.isArray(content) && content.length === 2 ? content : [];
  if (!Number.isInteger(exponent) || !Number.isInteger(mantissa))
    throw new Fault('a decimal fraction must be [exponent, mantissa], both whole numbers');
  const bounded = Math.max(-MOST_EXPONENT, Math.min(MOST_EXPONENT, exponent));
  return Number(`${BigInt(mantissa)}e${bounded}`);
}
