import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { projectRoot } from '../../../backbone/project-root.ts';
import { readCatalogue } from './catalogue.ts';
import { loadModel, readModel } from './model.ts';

const SHIPPED = join(projectRoot, 'models', 'street-scenes');
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((f) => rm(f, { recursive: true, force: true })));
});

type Values = Record<string, unknown>;

/** A copy of the shipped model whose manifest says something else. */
async function altered(
  change: (manifest: Values & { input: Values; output: Values; classes: string[] }) => void,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-model-'));
  folders.push(folder);
  await cp(join(SHIPPED, 'model.onnx'), join(folder, 'model.onnx'));
  const manifest = parse(await readFile(join(SHIPPED, 'manifest.yaml'), 'utf8'));
  change(manifest);
  await writeFile(join(folder, 'manifest.yaml'), stringify(manifest));
  return folder;
}

describe('a model folder', () => {
  it('that ships loads, and says where it may be trusted', async () => {
    const model = await loadModel(SHIPPED);
    expect(model.manifest).toMatchObject({
      name: 'street-scenes',
      licence: 'Apache-2.0',
      classes: ['car', 'truck', 'person'],
    });
    expect(model.manifest.trust.en).toMatch(/only on rendered scenes/i);
    await model.close();
  });

  it.each<[string, Parameters<typeof altered>[0], string, RegExp]>([
    ['has a misspelt key', (m) => Object.assign(m.input, { widht: 384 }), 'input.widht', /width/],
    ['has another hash', (m) => Object.assign(m, { sha256: '0'.repeat(64) }), 'sha256', /0000/],
    ['has a class too many', (m) => void m.classes.push('bus'), 'output', /4 classes/],
    ['has another input size', (m) => Object.assign(m.input, { width: 416 }), 'input', /\[1,3,224,384\]/],
    ['has another layout', (m) => Object.assign(m.input, { layout: 'nhwc' }), 'input', /\[1,3,224,384\]/],
    ['names another input', (m) => Object.assign(m.input, { name: 'data' }), 'input.name', /images/],
    [
      'has another output format',
      (m) => Object.assign(m, { output: { format: 'yolov8', columns: 1764 } }),
      'output',
      /yolov8/,
    ],
    ['has no such format', (m) => Object.assign(m.output, { format: 'yolo9000' }), 'output.format', /yolox/],
    ['names a file elsewhere', (m) => Object.assign(m, { file: '../model.onnx' }), 'file', /\.onnx/],
  ])('that %s is refused, with what was found and what is allowed', async (_, change, path, allowed) => {
    const error = await loadModel(await altered(change)).then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).toMatchObject({
      code: 'MODEL_INVALID',
      problems: [{ path, allowed: expect.stringMatching(allowed) }],
    });
  });

  it('whose file is no model is refused', async () => {
    const folder = await altered(() => {});
    await writeFile(join(folder, 'model.onnx'), 'no model');
    await expect(loadModel(folder)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      problems: [{ path: 'sha256' }],
    });
  });

  it('without a manifest is refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'qianliyan-model-'));
    folders.push(folder);
    await expect(readModel(folder)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      problems: [{ path: 'manifest.yaml' }],
    });
  });
});

describe('the catalogue', () => {
  it('is valid, has yolox-nano first, and no licence that binds its users', async () => {
    const entries = await readCatalogue();
    expect(entries[0]?.manifest).toMatchObject({ name: 'yolox-nano', licence: 'Apache-2.0' });
    expect(entries.filter((e) => /GPL/.test(e.manifest.licence))).toEqual([]);
  });
});
