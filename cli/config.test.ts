import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../backbone/project-root.ts';
import { QianliyanError } from '../contracts/index.ts';
import { reference } from './commands/config.ts';
import { Config, defaultConfig, readConfig } from './config.ts';
import { settingsOf } from './config-reference.ts';

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'qianliyan-config-')), 'config.yaml');
  writeFileSync(file, text);
  return file;
}

function problemsOf(text: string): string[] {
  try {
    readConfig(fileWith(text));
    return [];
  } catch (error) {
    if (error instanceof QianliyanError && error.code === 'CONFIG_INVALID')
      return error.problems.map((p) => p.path);
    throw error;
  }
}

describe('the configuration', () => {
  it('is good when it is empty, and then holds the defaults', () => {
    expect(readConfig(fileWith(''))).toEqual(defaultConfig());
  });

  it('takes the example that is shipped', () => {
    expect(readConfig(join(projectRoot, 'deploy', 'example.yaml')).mqtt.port).toBe(8883);
  });

  it('names every wrong and every unknown field at once', () => {
    const text =
      'clock: { speed: 0 }\nhttp: { port: x, prot: 1 }\nalerting: { raise: { batch: 0 } }\nfoo: 1\n';
    const paths = ['clock.speed', 'http.port', 'http.prot', 'alerting.raise.batch', 'foo'];
    expect(problemsOf(text).toSorted()).toEqual(paths.toSorted());
  });

  it('is refused when it is not YAML, or not there', () => {
    expect(problemsOf('a: [1')).toHaveLength(1);
    expect(() => readConfig('/nowhere/at/all.yaml')).toThrow(/cannot be read/);
  });

  it('lets nobody in without a password where others can reach it', () => {
    const text = 'http: { host: 0.0.0.0 }\nalerting: { demoAccess: true }\n';
    expect(problemsOf(text)).toEqual(['alerting.demoAccess']);
  });

  it('finds the catalog from where the file lies', () => {
    expect(readConfig(fileWith('catalog: my-catalog')).catalog).toMatch(/qianliyan-config-.*my-catalog$/);
  });

  it('describes every setting', () => {
    const mute = settingsOf(Config).filter((setting) => setting.description === '');
    expect(mute).toEqual([]);
  });

  it('is documented as it is: docs/configuration.md is what `config reference` prints', () => {
    const page = readFileSync(join(projectRoot, 'docs', 'configuration.md'), 'utf8');
    expect(page).toBe(reference());
  });
});
