/**
 * Text out of bytes, where the same few texts come again and again: topics, properties, datastreams. `read` gives what
 * `bytes.toString('utf8', from, to)` gives, and for ASCII that came before the very same string: nothing is decoded or
 * allocated, and a Map knows its hash already.
 *
 * Bounded: one text a place, the newest stays; long texts are not kept. What collides costs a decoding, nothing else.
 */
export class Interned {
  readonly #mask: number;
  readonly #texts: (string | undefined)[];

  /** @param places how many texts are kept, a power of two */
  constructor(places: number) {
    if (places < 1 || (places & (places - 1)) !== 0)
      throw new RangeError('places: a power of two is allowed');
    this.#mask = places - 1;
    this.#texts = new Array<string | undefined>(places).fill(undefined);
  }

  read(bytes: Buffer, from: number, to: number): string {
    if (to - from > LONGEST) return bytes.toString('utf8', from, to);
    let hash = 0x811c9dc5;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
    const place = (hash ^ (hash >>> 15)) & this.#mask;
    const known = this.#texts[place];
    if (known !== undefined && isSame(known, bytes, from, to)) return known;
    const text = bytes.toString('utf8', from, to);
    this.#texts[place] = text;
    return text;
  }
}

const LONGEST = 256;

/** Compares code units with bytes: of a text that is not ASCII that is never true. */
function isSame(text: string, bytes: Buffer, from: number, to: number): boolean {
  const length = to - from;
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f || unit !== bytes[from + i]) return false;
  }
  return true;
}
