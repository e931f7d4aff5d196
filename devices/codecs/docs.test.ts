import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../backbone/project-root.ts';
import { NativePayload, Quality, QuarantineReason } from '../../contracts/index.ts';
import { lineProtocol } from './line-protocol/codec.ts';
import { nativeJson } from './native-json/codec.ts';
import { senml } from './senml/codec.ts';
import { statusCodec } from './status/codec.ts';

/** What docs/devices.md says to device makers, in both languages, held against the code. */
const PAGES = ['devices.md', 'devices.zh-CN.md']
  .map((name) => join(projectRoot, 'docs', name))
  .filter((file) => existsSync(file));

function section(page: string, number: number): string {
  const [, found] = page.split(new RegExp(`^## ${number}\\. `, 'm'));
  if (found === undefined) throw new Error(`no section ${number}`);
  return found.split(/^## /m)[0] ?? '';
}

/** First cells of the tables of a section that are one word of code. */
function words(text: string): string[] {
  return [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, word]) => word ?? '');
}

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/```(\w*)\n(.*?)```/gs)].flatMap(([, of, block]) =>
    of === language ? [block ?? ''] : [],
  );
}

describe.each(PAGES)('%s', (file) => {
  const page = readFileSync(file, 'utf8');

  it('explains every reason of quarantine, and no other', () => {
    expect(words(section(page, 15)).sort()).toEqual([...QuarantineReason.options].sort());
  });

  it('explains every quality', () => {
    expect(words(section(page, 5)).sort()).toEqual([...Quality.options].sort());
  });

  it('shows native messages that are taken', () => {
    const examples = blocks(section(page, 7), 'json');
    expect(examples.length).toBeGreaterThanOrEqual(3);
    for (const example of examples)
      expect(NativePayload.safeParse(JSON.parse(example)).success, example).toBe(true);
  });

  it('shows a SenML pack and a line that are taken', () => {
    const input = { receivedAt: 1_795_356_300_000, device: undefined, userProperties: {} };
    const address = { device: 'my-dust-1', kind: 'readings', detail: '' } as const;
    const [, pack] = /-m '(\[.*\])'/.exec(section(page, 8)) ?? [];
    const said = (pack ?? '').replace(/'\$\(date \+%s\)'/, '1795356300');
    const decoded = senml({ maxInflatedBytes: 1_000 }).decode({
      ...input,
      address,
      payload: Buffer.from(said),
    });
    expect(decoded).toMatchObject({
      kind: 'readings',
      readings: [{ value: 81.5 }, { value: 40 }],
      rejected: [],
    });
    const [lines] = blocks(section(page, 9), '');
    const taken = lineProtocol({ maxInflatedBytes: 1_000 }).decode({
      ...input,
      address,
      payload: Buffer.from(lines ?? ''),
    });
    expect(taken).toMatchObject({
      kind: 'readings',
      readings: [{ value: 81.5 }, { value: 0.21 }],
      rejected: [],
    });
  });

  it('names topics that have a codec', () => {
    const codecs = [nativeJson({ maxInflatedBytes: 1 }), senml({ maxInflatedBytes: 1 })];
    codecs.push(lineProtocol({ maxInflatedBytes: 1 }), statusCodec());
    const table = section(page, 2)
      .split('\n')
      .filter((row) => /^\| `(v1|senml|telegraf)/.test(row));
    const topics = table.flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, t]) => t ?? ''),
    );
    const mine = topics.filter((topic) => !/frames|commands/.test(topic));
    expect(mine.length).toBeGreaterThanOrEqual(9);
    for (const topic of mine) {
      const real = topic
        .replace('…/', 'v1/devices/<id>/')
        .replace('<id>', 'my-dust-1')
        .replace(/<[^>]+>/, 'x');
      expect(
        codecs.some((codec) => codec.match(real) !== null),
        real,
      ).toBe(true);
    }
  });
});
