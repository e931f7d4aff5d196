import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern, covers, matchTopic, type Pattern } from './pattern.ts';

function pattern(text: string): Pattern {
  const compiled = compilePattern(text);
  if (typeof compiled === 'string') throw new Error(`${text}: ${compiled}`);
  return compiled;
}

function match(text: string, topic: string): Record<string, string> | null {
  const found = matchTopic(pattern(text), topic.split('/'));
  return found === null ? null : Object.fromEntries(found);
}

describe('a topic pattern', () => {
  it.each([
    ['tele/{device}/SENSOR', 'tele/dust-01/SENSOR', { device: 'dust-01' }],
    ['tele/{device}/SENSOR', 'tele/dust-01/STATE', null],
    ['tele/{device}/SENSOR', 'tele/a/b/SENSOR', null],
    ['tele/{device}/SENSOR', 'tele//SENSOR', null],
    ['{device}/tele/SENSOR', 'x/tele/SENSOR', { device: 'x' }],
    ['zigbee2mqtt/{device#}', 'zigbee2mqtt/a', { device: 'a' }],
    ['zigbee2mqtt/{device#}', 'zigbee2mqtt/a/b/c', { device: 'a/b/c' }],
    ['zigbee2mqtt/{device#}', 'zigbee2mqtt', null],
    ['zigbee2mqtt/{device#}/availability', 'zigbee2mqtt/a/b/availability', { device: 'a/b' }],
    ['zigbee2mqtt/{device#}/availability', 'zigbee2mqtt/availability', null],
    ['a/+/{x}/#', 'a/1/2', { x: '2' }],
    ['a/+/{x}/#', 'a//2/3/4', { x: '2' }],
    ['a/+/{x}/#', 'a/1', null],
    ['stat/#', 'stat', {}],
    ['{a}/{b}', '测/试', { a: '测', b: '试' }],
    ['a/b', 'a/b', {}],
    ['{p}/__proto__', 'x/__proto__', { p: 'x' }],
  ])('%s, held against %s, gives %j', (text, topic, wanted) => {
    expect(match(text, topic)).toEqual(wanted);
  });

  it.each([
    ['a/#/b', '# is allowed as the last level only'],
    ['a/{x#}/{y#}', 'only one # is allowed'],
    ['{x#}/#', 'only one # is allowed'],
    ['{x}/{x}', 'each name is allowed once'],
    ['a/b{x}', 'level "b{x}": plain text'],
    ['a/{}', 'level "{}"'],
    ['a/{1x}', 'level "{1x}"'],
    ['a/b+', 'level "b+"'],
    ['x/'.repeat(40), 'at most 32 levels'],
  ])('%s cannot be used: %s', (text, problem) => {
    expect(compilePattern(text)).toContain(problem);
  });
});

describe('a pattern that covers another', () => {
  it.each([
    ['a/#', 'a/{x}/b', true],
    ['a/#', 'a', true],
    ['a/{x#}', 'a/#', false],
    ['a/+', 'a/{x}', true],
    ['a/+', 'a/b', true],
    ['a/b', 'a/+', false],
    ['{d#}/x', 'a/{d#}/x', true],
    ['{d#}/x', 'a/{d#}', false],
    ['+/+', 'a/{d#}', false],
    ['#', '{a#}', true],
  ])('%s over %s: %s', (outer, inner, wanted) => {
    expect(covers(pattern(outer), pattern(inner))).toBe(wanted);
  });

  const level = fc.constantFrom('a', 'b', '+', '{x}');
  const anyPattern = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '/#', '/{m#}'))
    .map(([levels, end]) => levels.map((one, i) => (one === '{x}' ? `{x${i}}` : one)).join('/') + end);
  const topic = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 });

  it('has every topic of the other', () => {
    let covered = 0;
    fc.assert(
      fc.property(anyPattern, anyPattern, topic, (outer, inner, levels) => {
        if (!covers(pattern(outer), pattern(inner))) return;
        if (matchTopic(pattern(inner), levels) === null) return;
        covered += 1;
        expect(
          matchTopic(pattern(outer), levels),
          `${outer} over ${inner}: ${levels.join('/')}`,
        ).not.toBeNull();
      }),
      { numRuns: 5_000, seed: 7 },
    );
    expect(covered).toBeGreaterThan(50);
  });
});
