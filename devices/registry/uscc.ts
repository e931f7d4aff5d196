/**
 * Unified social credit code (统一社会信用代码), GB 32100-2015: 17 characters and a check character.
 * Promises to catch every single wrong character and every swap of neighbours; says nothing of whether the code was issued.
 */

/** Clause 4.3: digits and capital letters without I, O, S, V, Z; the value of a character is its place. */
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
/** Clause 5: weight of place i is 3^(i-1) mod 31. */
const WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/** The check character that belongs to the first 17 characters; null when one of them is not allowed. */
export function usccCheckCharacter(first17: string): string | null {
  let sum = 0;
  for (const [i, weight] of WEIGHTS.entries()) {
    const value = ALPHABET.indexOf(first17[i] ?? '?');
    if (value < 0) return null;
    sum += value * weight;
  }
  return ALPHABET[(31 - (sum % 31)) % 31] ?? null;
}

/** What is wrong with a code, as a sentence part of what is allowed; null when it is right. */
export function usccFault(code: string): string | null {
  if (code.length !== 18) return '18 characters';
  const check = usccCheckCharacter(code.slice(0, 17));
  if (check === null) return 'digits and capital letters without I, O, S, V, Z (GB 32100-2015)';
  return code[17] === check ? null : `check character ${check} at the end (GB 32100-2015)`;
}
