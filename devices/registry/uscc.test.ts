import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usccCheckCharacter, usccFault } from './uscc.ts';

/** The first is the example that is usually given with the standard; both keep its check rule. */
const REAL = ['91350100M000100Y43', '91110000802100433B'];
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';

describe('unified social credit code', () => {
  it.each(REAL)('accepts %s', (code) => {
    expect(usccFault(code)).toBeNull();
  });

  it('names the check character that would be right', () => {
    expect(usccFault('91350100M000100Y44')).toContain('check character 3');
  });

  it('refuses letters that the standard leaves out', () => {
    expect(usccFault('91350100I000100Y43')).toContain('without I, O, S, V, Z');
  });

  it('notices any single wrong character', () => {
    const characters = fc.array(fc.constantFrom(...ALPHABET), { minLength: 17, maxLength: 17 });
    fc.assert(
      fc.property(characters, fc.nat(16), fc.constantFrom(...ALPHABET), (all, at, other) => {
        const code = all.join('') + usccCheckCharacter(all.join(''));
        fc.pre(code[at] !== other);
        const wrong = code.slice(0, at) + other + code.slice(at + 1);
        return usccFault(code) === null && usccFault(wrong) !== null;
      }),
    );
  });
});
