/**
 * The words of line protocol that stand for values: `1.5`, `5i`, `5u`, `t`. Each is judged as a whole; a word that is none
 * of them is null, and the scanner says where it stands.
 */

/** A number that is NaN or infinite is a value that the format does not have, yet programs write. */
export type FieldValue =
  | { kind: 'number'; value: number }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'text'; value: string };

/** int64 and uint64, of which InfluxDB's integers and timestamps are. */
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;
const UINT64 = [0n, 2n ** 64n - 1n] as const;

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['t', 'T', 'true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['f', 'F', 'false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);
/** One way only to match each digit: a word may be a megabyte long. */
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity)$/i;

export function fieldValue(word: string): FieldValue | null {
  const truth = BOOLEANS.get(word);
  if (truth !== undefined) return { kind: 'boolean', value: truth };
  if (FLOAT.test(word)) return { kind: 'number', value: Number(word) };
  const whole = word.endsWith('i') ? INT64 : word.endsWith('u') ? UINT64 : null;
  const integer = whole === null ? null : wholeNumber(word.slice(0, -1), whole);
  if (integer !== null) return { kind: 'number', value: Number(integer) };
  if (NOT_FINITE.test(word)) return { kind: 'number', value: Number.NaN };
  return null;
}

function wholeNumber(word: string, [least, most]: readonly [bigint, bigint]): bigint | null {
  if (!/^[+-]?\d{1,20}$/.test(word)) return null;
  const value = BigInt(word.replace('+', ''));
  return value >= least && value <= most ? value : null;
}

/** A timestamp, in whatever precision. */
export function timestampOf(word: string): bigint | null {
  return wholeNumber(word, INT64);
}
