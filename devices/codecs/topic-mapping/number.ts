import { inWords } from './path.ts';

/**
 * From what stands in a payload to a finite number: numbers, numbers written as text, and words that the mapping gives
 * a number. Raw integers are scaled in decimal: 3 × 0.1 is 0.3, not 0.30000000000000004.
 */
export interface NumberRule {
  scale: number;
  offset: number;
  /** By the payload's value as text: `ON`, `true`. */
  words: ReadonlyMap<string, number>;
}

export type ToNumber = { value: number } | { reason: 'schema' | 'value-not-finite'; problem: string };

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i;
const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;

export function toNumber(found: unknown, rule: NumberRule): ToNumber {
  const word = typeof found === 'object' ? undefined : rule.words.get(String(found).trim());
  if (word !== undefined) return { value: word };
  const text = typeof found === 'string' ? found.trim() : null;
  const number = text === null ? found : DECIMAL.test(text) ? Number(text) : undefined;
  if (typeof number === 'number') {
    const value = scaled(number, rule);
    if (Number.isFinite(value)) return { value };
  }
  if (typeof number === 'number' || (text !== null && NOT_FINITE.test(text))) {
    return { reason: 'value-not-finite', problem: `${inWords(found)} found; a finite number is allowed` };
  }
  const words = [...rule.words.keys()].slice(0, 8).map((one) => JSON.stringify(one));
  const allowed = ['a number', ...words].join(', ');
  return { reason: 'schema', problem: `${inWords(found)} found; ${allowed} is allowed` };
}

/** Doubles hold 15 decimal digits for sure: beyond that there is nothing to put right. */
const SURE_DIGITS = 15;

function scaled(raw: number, { scale, offset }: NumberRule): number {
  if (scale === 1 && offset === 0) return raw;
  const value = raw * scale + offset;
  // A product has as many decimals as its factors together, a sum as many as the longer one.
  const decimals = Math.max(decimalsOf(raw) + decimalsOf(scale), decimalsOf(offset));
  return decimals <= SURE_DIGITS ? Number(value.toFixed(decimals)) : value;
}

function decimalsOf(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e');
  const behindPoint = digits.includes('.') ? digits.length - digits.indexOf('.') - 1 : 0;
  return Math.max(0, behindPoint - Number(exponent));
}
