import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeProblems, parse, problemsOf } from './validation.ts';

/** The problems of one input, as people see them. */
function told(schema: z.ZodType, input: unknown) {
  const result = schema.safeParse(input);
  return result.success ? [] : problemsOf(result.error, input, schema);
}

const Config = z.strictObject({
  mqtt: z
    .strictObject({ port: z.number().int().min(1).max(65_535).default(1883), host: z.string().min(1) })
    .optional(),
  mode: z.enum(['embedded', 'scale']).optional(),
});

describe('what a wrong input is told', () => {
  it.each<[string, z.ZodType, unknown, unknown]>([
    [
      'a required field',
      z.strictObject({ a: z.string() }),
      {},
      { path: 'a', found: undefined, allowed: 'required: text' },
    ],
    [
      'another type',
      z.strictObject({ a: z.number() }),
      { a: 'x' },
      { path: 'a', found: 'x', allowed: 'must be a number' },
    ],
    ['no whole number', z.int(), 1.5, { path: '', found: 1.5, allowed: 'must be a whole number' }],
    ['not a number', z.number(), Number.NaN, { path: '', found: 'NaN', allowed: 'must be a number' }],
    ['too large', z.number().max(5), 6, { path: '', found: 6, allowed: 'must be at most 5' }],
    ['too small', z.number().positive(), 0, { path: '', found: 0, allowed: 'must be more than 0' }],
    [
      'too long',
      z.string().max(2),
      'abc',
      { path: '', found: 'abc', allowed: 'must have at most 2 characters' },
    ],
    [
      'too few entries',
      z.array(z.number()).min(2),
      [1],
      { path: '', found: [1], allowed: 'must have at least 2 entries' },
    ],
    ['not one of', z.enum(['a', 'b']), 'c', { path: '', found: 'c', allowed: 'must be one of "a", "b"' }],
    ['not the one', z.literal('yes'), 'no', { path: '', found: 'no', allowed: 'must be "yes"' }],
    [
      'no date',
      z.iso.date(),
      '2026-13-01',
      { path: '', found: '2026-13-01', allowed: 'must be a date, YYYY-MM-DD' },
    ],
    ['no step', z.number().multipleOf(5), 7, { path: '', found: 7, allowed: 'must be a multiple of 5' }],
    [
      "the schema's own words",
      z.string().regex(/^\d+$/, 'digits only'),
      'x',
      { path: '', found: 'x', allowed: 'must be digits only' },
    ],
    [
      'no start',
      z.string().startsWith('v1/'),
      'x',
      { path: '', found: 'x', allowed: 'must start with "v1/"' },
    ],
    [
      'its own check',
      z.number().refine((n) => n > 3, 'more than 3'),
      1,
      { path: '', found: 1, allowed: 'more than 3' },
    ],
    [
      'within a list',
      z.array(z.strictObject({ x: z.number() })),
      [{ x: 1 }, { x: 'y' }],
      { path: '1.x', found: 'y', allowed: 'must be a number' },
    ],
  ])('%s', (_what, schema, input, problem) => {
    expect(told(schema, input)).toEqual([problem]);
  });

  it('is all of it at once', () => {
    const input = { mqtt: { port: 99_999, host: '' }, mode: 'huge' };
    expect(told(Config, input).map(({ path }) => path)).toEqual(['mqtt.port', 'mqtt.host', 'mode']);
  });

  it('names the known fields, and the one that was probably meant', () => {
    expect(told(Config, { mqtt: { prot: 1, host: 'x' } })).toEqual([
      {
        path: 'mqtt.prot',
        found: 1,
        allowed: 'there is no such field; did you mean "port"?; known fields: port, host',
      },
    ]);
  });

  it('guesses nothing when nothing is near', () => {
    expect(told(Config, { elephant: 1 })[0]?.allowed).toBe(
      'there is no such field; known fields: mqtt, mode',
    );
  });

  it('is about the branch of a union that was meant', () => {
    const Reading = z.union([z.number(), z.strictObject({ value: z.number(), unit: z.string().optional() })]);
    expect(told(Reading, { value: 'x' })).toEqual([
      { path: 'value', found: 'x', allowed: 'must be a number' },
    ]);
    expect(told(Reading, true)).toEqual([
      { path: '', found: true, allowed: 'must be a number, or an object with fields' },
    ]);
  });

  it('names the kinds of a discriminated union', () => {
    const Statistic = z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('mean'), windowS: z.number() }),
      z.strictObject({ type: z.literal('instant') }),
    ]);
    expect(told(Statistic, { type: 'median' })).toEqual([
      { path: 'type', found: 'median', allowed: 'must be one of "mean", "instant"' },
    ]);
    expect(told(Statistic, { type: 'mean', windowS: 'x' })[0]?.path).toBe('windowS');
  });

  it('names a key that may not be', () => {
    const schema = z.record(z.string().regex(/^[a-z]+$/, 'lower-case letters'), z.number());
    expect(told(schema, { A1: 1 })).toEqual([
      { path: 'A1', found: 'A1', allowed: 'its name must be lower-case letters' },
    ]);
  });

  it('never repeats more than 200 characters of the input', () => {
    const [problem] = told(z.number(), 'x'.repeat(5_000));
    expect(String(problem?.found).length).toBe(200);
  });
});

describe('parse', () => {
  it('gives what the schema makes of the value', () => {
    expect(parse(Config, { mqtt: { host: 'h' } })).toEqual({ mqtt: { port: 1883, host: 'h' } });
  });

  it('throws one error with all problems under a prefix', () => {
    expect(() => parse(Config, { mode: 'x' }, { code: 'CONFIG_INVALID', prefix: 'server' })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        problems: [{ path: 'server.mode', found: 'x', allowed: 'must be one of "embedded", "scale"' }],
        message: expect.stringContaining('server.mode: found "x"; must be one of'),
      }),
    );
  });

  it('explains whatever input, and ends', () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        const problems = told(Config, input);
        expect(problems.every(({ allowed }) => allowed.length > 0)).toBe(true);
        expect(describeProblems(problems)).toBeTypeOf('string');
      }),
      { seed: 20261122, numRuns: 300 },
    );
  });
});
