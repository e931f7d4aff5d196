import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

// The table of docs/architecture.md, section 2: what a folder may import besides itself.
const ALLOWED: Record<string, readonly string[]> = {
  contracts: [],
  backbone: ['contracts'],
  devices: ['contracts', 'backbone'],
  ingest: ['contracts', 'devices', 'backbone'],
  detectors: ['contracts', 'backbone'],
  alerting: ['contracts', 'backbone'],
  simulator: ['contracts'],
  // console/dev is a fake of the product for tests: it may use what the product uses.
  'console/src': ['contracts'],
};
// Tests may use real adapters and shared test support, whatever their folder.
const isTest = (file: string) => /\.test\.tsx?$|\/testing\//.test(file);

const root = resolve(import.meta.dirname, '..');

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((f) => /\.tsx?$/.test(f) && !/node_modules|dist\//.test(f))
    .map((f) => join(folder, f));
}

function importsOf(file: string): { to: string; typeOnly: boolean }[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s*'(\.[^']+)'/gm);
  return [...found].map((m) => ({
    to: relative(root, resolve(root, dirname(file), m[2] ?? '')).split('/')[0] ?? '',
    typeOnly: m[1] !== undefined,
  }));
}

describe('the data flows one way', () => {
  for (const [folder, allowed] of Object.entries(ALLOWED)) {
    it(`${folder}/ imports only ${allowed.join(', ') || 'nothing of ours'}`, () => {
      const strangers = sources(folder)
        .filter((file) => !isTest(file))
        .flatMap((file) =>
          importsOf(file)
            .filter(
              ({ to, typeOnly }) =>
                to !== folder.split('/')[0] &&
                !(allowed.includes(to) && (!folder.startsWith('console') || typeOnly)),
            )
            .map(({ to }) => `${file} → ${to}`),
        );
      expect(strangers).toEqual([]);
    });
  }

  it('sees an import when there is one', () => {
    expect(importsOf('contracts/topics.ts')).toEqual([]);
    expect(importsOf('backbone/directory.ts')).toEqual([{ to: 'contracts', typeOnly: true }]);
  });
});
