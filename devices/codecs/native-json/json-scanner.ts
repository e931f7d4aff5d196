/**
 * Reads JSON (RFC 8259) from bytes piece by piece: what stands here is either taken or left. Sound, not complete: a text with
 * an escape, or with a control character, is not taken. Texts are left where they are: `textFrom` to `textTo`.
 */
export class JsonScanner {
  protected bytes: Buffer = Buffer.alloc(0);
  protected textFrom = 0;
  protected textTo = 0;
  #at = 0;

  protected begin(bytes: Buffer): void {
    this.bytes = bytes;
    this.#at = 0;
  }

  /** One of SIGN, with the space before it. */
  protected take(sign: number): boolean {
    if (this.bytes[this.#at] !== sign) {
      this.#skipSpace();
      if (this.bytes[this.#at] !== sign) return false;
    }
    this.#at += 1;
    return true;
  }

  /** A key, with the colon behind it. */
  protected key(): boolean {
    return this.text() && this.take(SIGN.colon);
  }

  protected text(): boolean {
    this.#skipSpace();
    const { bytes } = this;
    if (bytes[this.#at] !== QUOTE) return false;
    const from = this.#at + 1;
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.textFrom = from;
        this.textTo = at;
        this.#at = at + 1;
        return true;
      }
      if (byte === BACKSLASH || byte < SPACE) return false;
    }
    return false;
  }

  /** Whether the text taken last is this one, of ASCII. */
  protected textIs(expected: string): boolean {
    const { bytes, textFrom } = this;
    if (this.textTo - textFrom !== expected.length) return false;
    for (let i = 0; i < expected.length; i++) {
      if (bytes[textFrom + i] !== expected.charCodeAt(i)) return false;
    }
    return true;
  }

  /** A number that a double can hold; NaN when there is none, and then nothing may be taken behind it. */
  protected number(): number {
    this.#skipSpace();
    const { bytes } = this;
    const from = this.#at;
    let at = from;
    const negative = bytes[at] === MINUS;
    if (negative) at += 1;
    const digitsFrom = at;
    let mantissa = 0;
    for (let digit = digitAt(bytes, at); digit >= 0; digit = digitAt(bytes, ++at))
      mantissa = mantissa * 10 + digit;
    let digits = at - digitsFrom;
    if (digits === 0 || (digits > 1 && bytes[digitsFrom] === DIGIT_0)) return Number.NaN;
    let decimals = 0;
    if (bytes[at] === POINT) {
      const decimalsFrom = ++at;
      for (let digit = digitAt(bytes, at); digit >= 0; digit = digitAt(bytes, ++at))
        mantissa = mantissa * 10 + digit;
      decimals = at - decimalsFrom;
      if (decimals === 0) return Number.NaN;
      digits += decimals;
    }
    const hasExponent = bytes[at] === SMALL_E || bytes[at] === LARGE_E;
    if (hasExponent || digits > EXACT_DIGITS) return this.#anyNumber(from, at, hasExponent);
    this.#at = at;
    // Both are exact, so that their quotient is the double nearest to what is written.
    const value = decimals === 0 ? mantissa : mantissa / (POWERS_OF_10[decimals] as number);
    return negative ? -value : value;
  }

  /** With an exponent, or of more digits than a double holds for sure. */
  #anyNumber(from: number, mantissaTo: number, hasExponent: boolean): number {
    const { bytes } = this;
    let at = mantissaTo;
    if (hasExponent) {
      at += 1;
      if (bytes[at] === MINUS || bytes[at] === PLUS) at += 1;
      const digitsFrom = at;
      while (digitAt(bytes, at) >= 0) at += 1;
      if (at === digitsFrom) return Number.NaN;
    }
    const value = Number(bytes.toString('latin1', from, at));
    this.#at = at;
    return Number.isFinite(value) ? value : Number.NaN;
  }

  /** Nothing but space is left. */
  protected atEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.bytes.length;
  }

  #skipSpace(): void {
    const { bytes } = this;
    let byte = bytes[this.#at];
    while (byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB) {
      byte = bytes[++this.#at];
    }
  }
}

/** -1 when there is none. */
function digitAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  return byte !== undefined && byte >= DIGIT_0 && byte <= DIGIT_9 ? byte - DIGIT_0 : -1;
}

/** What stands between values, as bytes. */
export const SIGN = {
  comma: 0x2c,
  colon: 0x3a,
  beginArray: 0x5b,
  endArray: 0x5d,
  beginObject: 0x7b,
  endObject: 0x7d,
} as const;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LARGE_E = 0x45;
const BACKSLASH = 0x5c;
const SMALL_E = 0x65;
/** Every integer of so many digits is a double, and so is every power of ten up to 22. */
const EXACT_DIGITS = 15;
const POWERS_OF_10 = Array.from({ length: EXACT_DIGITS + 1 }, (_, i) => 10 ** i);
