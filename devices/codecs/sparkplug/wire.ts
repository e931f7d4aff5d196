import { isUtf8 } from 'node:buffer';

/**
 * Is this the wire form of a Sparkplug payload? The generated decoder believes what lengths and wire types say: a wrong
 * length inside a metric makes it read the neighbour's bytes as values. So this walks over the payload first, and says
 * where it breaks. Fields that the specification does not have are skipped, as protobuf asks (extensions).
 *
 * Promises: time in proportion to the bytes, no copy, nesting and number of parts bounded; never throws.
 */
type Scalar = 'varint' | 'varint32' | 'fixed32' | 'fixed64' | 'bytes' | 'text' | 'varints32';
type Field = readonly [name: string, type: Scalar | Message];
interface Message {
  readonly [field: number]: Field;
}

/** sparkplug_b.proto, section 6.4.1. `varint32`: what the decoder reads as 32 bits. */
const EXTENSION: Message = {};
const DATA_SET_VALUE: Message = {
  1: ['int_value', 'varint32'],
  2: ['long_value', 'varint'],
  3: ['float_value', 'fixed32'],
  4: ['double_value', 'fixed64'],
  5: ['boolean_value', 'varint32'],
  6: ['string_value', 'text'],
  7: ['extension_value', EXTENSION],
};
const DATA_SET: Message = {
  1: ['num_of_columns', 'varint'],
  2: ['columns', 'text'],
  3: ['types', 'varints32'],
  4: ['rows', { 1: ['elements', DATA_SET_VALUE] }],
};
const PROPERTY_VALUE: { [field: number]: Field } = {
  1: ['type', 'varint32'],
  2: ['is_null', 'varint32'],
  3: ['int_value', 'varint32'],
  4: ['long_value', 'varint'],
  5: ['float_value', 'fixed32'],
  6: ['double_value', 'fixed64'],
  7: ['boolean_value', 'varint32'],
  8: ['string_value', 'text'],
};
const PROPERTY_SET: Message = { 1: ['keys', 'text'], 2: ['values', PROPERTY_VALUE] };
PROPERTY_VALUE[9] = ['propertyset_value', PROPERTY_SET];
PROPERTY_VALUE[10] = ['propertysets_value', { 1: ['propertyset', PROPERTY_SET] }];
PROPERTY_VALUE[11] = ['extension_value', EXTENSION];
const METADATA: Message = {
  1: ['is_multi_part', 'varint32'],
  2: ['content_type', 'text'],
  3: ['size', 'varint'],
  4: ['seq', 'varint'],
  5: ['file_name', 'text'],
  6: ['file_type', 'text'],
  7: ['md5', 'text'],
  8: ['description', 'text'],
};
const PARAMETER: Message = {
  1: ['name', 'text'],
  2: ['type', 'varint32'],
  3: ['int_value', 'varint32'],
  4: ['long_value', 'varint'],
  5: ['float_value', 'fixed32'],
  6: ['double_value', 'fixed64'],
  7: ['boolean_value', 'varint32'],
  8: ['string_value', 'text'],
  9: ['extension_value', EXTENSION],
};
const METRIC: { [field: number]: Field } = {
  1: ['name', 'text'],
  2: ['alias', 'varint'],
  3: ['timestamp', 'varint'],
  4: ['datatype', 'varint32'],
  5: ['is_historical', 'varint32'],
  6: ['is_transient', 'varint32'],
  7: ['is_null', 'varint32'],
  8: ['metadata', METADATA],
  9: ['properties', PROPERTY_SET],
  10: ['int_value', 'varint32'],
  11: ['long_value', 'varint'],
  12: ['float_value', 'fixed32'],
  13: ['double_value', 'fixed64'],
  14: ['boolean_value', 'varint32'],
  15: ['string_value', 'text'],
  16: ['bytes_value', 'bytes'],
  17: ['dataset_value', DATA_SET],
};
METRIC[19] = ['extension_value', EXTENSION];
METRIC[18] = [
  'template_value',
  {
    1: ['version', 'text'],
    2: ['metrics', METRIC],
    3: ['parameters', PARAMETER],
    4: ['template_ref', 'text'],
    5: ['is_definition', 'varint32'],
  },
];
const PAYLOAD: Message = {
  1: ['timestamp', 'varint'],
  2: ['metrics', METRIC],
  3: ['seq', 'varint'],
  4: ['uuid', 'text'],
  5: ['body', 'bytes'],
};

/** A node of 10,000 metrics has some 60,000 parts in its birth. */
const MOST_PARTS = 200_000;
const DEEPEST = 16;

/** What is wrong, with its place; null when nothing is. */
export function wireFault(bytes: Uint8Array): string | null {
  try {
    new Walk(bytes).message(PAYLOAD, 0, bytes.length, 0, 'payload');
    return null;
  } catch (error) {
    if (error instanceof WireFault) return error.message;
    throw error;
  }
}

class WireFault extends Error {}

class Walk {
  readonly #bytes: Uint8Array;
  #at = 0;
  #parts = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(shape: Message, from: number, end: number, depth: number, path: string): void {
    if (depth > DEEPEST) this.#fail(path, `nested deeper than ${DEEPEST}`);
    this.#at = from;
    while (this.#at < end) {
      this.#parts += 1;
      if (this.#parts > MOST_PARTS) this.#fail(path, `more than ${MOST_PARTS} fields`);
      const tag = this.#varint(end, path, true);
      const field = Math.floor(tag / 8);
      if (field < 1 || field > 536_870_911) this.#fail(path, `field number ${field}`);
      const known = shape[field];
      this.#field(
        known,
        tag % 8,
        end,
        depth,
        known === undefined ? `${path}.${field}` : `${path}.${known[0]}`,
      );
    }
  }

  #field(known: Field | undefined, wire: number, end: number, depth: number, path: string): void {
    const type = known?.[1];
    if (type !== undefined && !fits(type, wire)) this.#fail(path, `wire type ${wire}`);
    if (wire === 0) this.#varint(end, path, type === 'varint32' || type === 'varints32');
    else if (wire === 1) this.#skip(8, end, path);
    else if (wire === 5) this.#skip(4, end, path);
    else if (wire === 2) this.#delimited(type, end, depth, path);
    else this.#fail(path, `wire type ${wire}`);
  }

  #delimited(type: Scalar | Message | undefined, end: number, depth: number, path: string): void {
    const length = this.#varint(end, path, true);
    const from = this.#at;
    this.#skip(length, end, path);
    const to = this.#at;
    if (type === 'text') {
      if (!isUtf8(this.#bytes.subarray(from, to))) this.#fail(path, 'text that is not UTF-8');
    } else if (type === 'varints32') {
      for (this.#at = from; this.#at < to; ) this.#varint(to, path, true);
    } else if (typeof type === 'object') this.message(type, from, to, depth + 1, path);
    this.#at = to;
  }

  #skip(length: number, end: number, path: string): void {
    if (length > end - this.#at)
      this.#fail(path, `a length of ${length} where ${end - this.#at} bytes are left`);
    this.#at += length;
  }

  /**
   * Exact up to 2^53, which is more than any length; the values of wider ones are not used here. `narrow`: of more
   * than 5 bytes, the decoder goes on behind the tenth, wherever the number ends.
   */
  #varint(end: number, path: string, narrow: boolean): number {
    let value = 0;
    for (let i = 0, scale = 1; i < 10; i++, scale *= 128) {
      if (this.#at >= end) this.#fail(path, 'it is cut short');
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80)
        return narrow && i > 4 && i < 9 ? this.#fail(path, `a 32-bit number of ${i + 1} bytes`) : value;
    }
    return this.#fail(path, 'a number of more than 10 bytes');
  }

  #fail(path: string, what: string): never {
    throw new WireFault(`${path}: ${what}, at byte ${this.#at} of ${this.#bytes.length}`);
  }
}

function fits(type: Scalar | Message, wire: number): boolean {
  if (type === 'varint' || type === 'varint32') return wire === 0;
  if (type === 'varints32') return wire === 0 || wire === 2;
  if (type === 'fixed64') return wire === 1;
  if (type === 'fixed32') return wire === 5;
  return wire === 2;
}
