import { describe, expect, it } from 'vitest';
import { credentials } from './credentials.ts';
import { CHOSEN_COST, GENERATED_COST, generatePassword, hashPassword } from './passwords.ts';

const secret = (text: string) => Buffer.from(text);

describe('device credentials', () => {
  it('accepts the right password only, and says why not', async () => {
    const all = credentials();
    all.set('dust-01', await hashPassword('correct horse', GENERATED_COST));
    expect(await all.check('dust-01', secret('correct horse'))).toBe('accepted');
    expect(await all.check('dust-01', secret('wrong'))).toBe('password-wrong');
    expect(await all.check('dust-02', secret('correct horse'))).toBe('no-password-set');
  });

  it('salts each hash, so that equal passwords look different', async () => {
    const [a, b] = await Promise.all([hashPassword('same', CHOSEN_COST), hashPassword('same', CHOSEN_COST)]);
    expect(a).not.toBe(b);
  });

  it('asks anew once the password has changed, although it remembered the old answer', async () => {
    const all = credentials();
    all.set('dust-01', await hashPassword('old', GENERATED_COST));
    expect(await all.check('dust-01', secret('old'))).toBe('accepted');
    all.set('dust-01', await hashPassword('new', GENERATED_COST));
    expect(await all.check('dust-01', secret('old'))).toBe('password-wrong');
    all.set('dust-01', null);
    expect(await all.check('dust-01', secret('new'))).toBe('no-password-set');
  });

  it('lets a thousand devices in that connect at once, without blocking the event loop', async () => {
    const all = credentials();
    const password = generatePassword();
    const hash = await hashPassword(password, GENERATED_COST);
    for (let i = 0; i < 1000; i++) all.set(`d-${i}`, hash);
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 1);
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => all.check(`d-${i}`, secret(password))),
    );
    clearInterval(counting);
    expect(new Set(answers)).toEqual(new Set(['accepted']));
    expect(turns).toBeGreaterThan(50);
  });

  it('answers busy rather than growing without bound', async () => {
    const all = credentials({ hashing: 1, waiting: 2, remembered: 10 });
    all.set('d', await hashPassword('x', GENERATED_COST));
    const tries = Array.from({ length: 6 }, (_, i) => all.check('d', secret(`guess ${i}`)));
    const answers = await Promise.all(tries);
    expect(answers.filter((a) => a === 'busy')).toHaveLength(3);
  });
});
