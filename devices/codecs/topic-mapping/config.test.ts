import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../../backbone/project-root.ts';
import { problemsOf } from '../../../backbone/validation.ts';
import { allCodecs } from '../index.ts';
import { topicMapping } from './codec.ts';
import { TopicMappings } from './config.ts';

function problems(...mappings: unknown[]): string[] {
  const parsed = TopicMappings.safeParse(mappings);
  if (parsed.success) return [];
  return problemsOf(parsed.error, mappings, TopicMappings).map((p) => `${p.path}: ${p.allowed}`);
}

const readings = [{ property: 'T', path: 't' }];

describe('mappings that cannot be meant so', () => {
  it('are all named at once, each with its place', () => {
    const found = problems(
      { name: 'a', topic: 'a/{x}/{x}', readings },
      { name: 'b', topic: 'b/{dev}', readings },
      {
        name: 'c',
        topic: 'c/{device}',
        readings: [
          { property: '{prop}', path: 'a..b' },
          { property: 'P', path: 'x.*' },
        ],
      },
      { name: 'c', topic: 'd/{device}', readings, status: {} },
      { name: 'e', topic: 'v1/devices/{device}/observations', readings },
      { name: 'f', topic: 'f/{device}', time: { format: 'rfc3339' }, readings },
      {
        name: 'g',
        topic: 'g/{device}',
        time: { format: 'epoch-s', path: 't', utcOffset: '+08:00' },
        readings,
      },
      {
        name: 'h',
        topic: 'h/{device}',
        when: [{ path: 'x' }],
        status: { online: ['a'], offline: ['b', 'a'] },
      },
      {
        name: 'i',
        topic: 'i/{device}',
        device: 'x:{$.a.*}{',
        readings: [{ property: 'T', quality: { path: '.', values: {} } }],
      },
      { name: 'j', topic: 'j/{device}' },
    );
    expect(found).toEqual(
      [
        /^0\.topic: each name is allowed once/,
        /^1\.device: \{device\} is unknown; \{dev\} or/,
        /^2\.readings\.0\.path: character 2 cannot be read/,
        /^2\.readings\.0\.property: \{prop\} is unknown; \{device\} or/,
        /^2\.readings\.1\.property: a template with \{\*\}/,
        /^3: exactly one of `readings`, `status` and `ignore`/,
        /^4\.topic: topics outside of v1\//,
        /^5\.time\.path: a path is required/,
        /^6\.time\.path: a utcOffset for the format `local` only/,
        /^7\.when\.0: `in` or `exists`/,
        /^7\.status\.offline: words that do not stand in `online`/,
        /^8\.device: \{\$\.a\.\*\}: a path without \*/,
        /^8\.readings\.0\.quality\.path: character 1/,
        /^9: exactly one of/,
        /^3\.name: each name once; mapping 2 has it/,
      ].map((line) => expect.stringMatching(line)),
    );
  });

  it('because an earlier one takes all their messages', () => {
    const wide = { name: 'wide', topic: 'tele/+/+', ignore: true };
    const narrow = { name: 'narrow', topic: 'tele/{device}/SENSOR', readings };
    expect(problems(wide, narrow)).toEqual([expect.stringMatching(/^1\.topic: .*"wide" takes all of these/)]);
    expect(problems(narrow, wide)).toEqual([]);
    expect(problems({ ...wide, when: [{ path: 'x', exists: true }] }, narrow)).toEqual([]);
  });

  it('because they are misspelt: with a word on what was meant', () => {
    expect(problems({ name: 'a', topic: 'a/{device}', readings: [{ property: 'T', paht: 't' }] })).toEqual([
      expect.stringContaining('did you mean "path"'),
    ]);
    expect(problems({ name: 'A b', topic: 'a/{device}', readings })).toEqual([
      expect.stringContaining('a-z'),
    ]);
    expect(problems({ name: 'a', topic: 'a/{device}', readings: [{ property: 'T', scale: 0 }] })).toEqual([
      '0.readings.0.scale: other than 0',
    ]);
  });

  it('because another codec has those topics', () => {
    const codecs = allCodecs({ maxInflatedBytes: 1_000, utcOffsetMs: 0 });
    const topics = [
      'v1/devices/a/observations',
      'spBv1.0/g/NDATA/n',
      'senml/x',
      'telegraf/x',
      'hj212/0123456789',
    ];
    for (const topic of topics) {
      expect(
        codecs.some((codec) => codec.match(topic) !== null),
        topic,
      ).toBe(true);
      const own = topic.replace(/[^/]+$/, '{device}');
      expect(problems({ name: 'a', topic: own, readings })).toEqual([
        expect.stringContaining('a meaning of their own'),
      ]);
    }
  });
});

describe('the mapping that docs/devices.md explains', () => {
  const page = readFileSync(join(projectRoot, 'docs', 'devices.md'), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((found) => found[1] ?? '');
  const topicMappings = blocks
    .map((block) => parse(block)?.ingest?.topicMappings)
    .find((one) => one !== undefined);

  it('does what the page says', async () => {
    const codec = topicMapping(TopicMappings.parse(topicMappings), 0);
    const address = codec.match('plant/line-1/dust-01/up');
    const said = { kind: 'dust', t: 1_795_000_000, values: { 'pm.tsp': 235, rh: 40 }, flag: 1 };
    const payload = Buffer.from(JSON.stringify(said));
    const input = { payload, receivedAt: 0, device: undefined, userProperties: {} };
    expect(address?.device).toBe('dust-01');
    expect(address && (await codec.decode({ ...input, address }))).toMatchObject({
      readings: [
        { property: 'TSP', value: 0.235, unit: 'mg/m3', quality: 'fault', time: 1_795_000_000_000 },
        { property: 'RH', value: 40, quality: 'valid' },
      ],
      source: 'mapping:yard',
    });
  });
});
