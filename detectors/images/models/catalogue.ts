/**
 * Which models there are: the product's own below `models/`, those that were added below `<data>/models/`, and those that
 * the catalogue knows how to add. The catalogue is data (models/catalogue.yaml); nothing is fetched unless asked for.
 */

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { parse as parseYaml, stringify } from 'yaml';
import { z } from 'zod';
import { projectRoot } from '../../../backbone/project-root.ts';
import { parse } from '../../../backbone/validation.ts';
import { QianliyanError } from '../../../contracts/index.ts';
import { Manifest } from './manifest.ts';
import { loadModel, readModel } from './model.ts';

const OWN = join(projectRoot, 'models');

/** A public model that can be added: where it lies, how large it is, and the manifest that it gets. */
export const CatalogueEntry = z.strictObject({
  url: z.url().describe('Where the file can be fetched'),
  bytes: z.number().int().positive(),
  manifest: Manifest,
});
export type CatalogueEntry = z.output<typeof CatalogueEntry>;

const Catalogue = z.strictObject({ models: z.array(CatalogueEntry) });

export interface ListedModel {
  name: string;
  licence: string;
  classes: number;
  /** `built-in` and `added` can be used now; `catalogue` has to be added first. */
  where: 'built-in' | 'added' | 'catalogue';
  folder: string | null;
  source: string;
}

/** @throws QianliyanError CATALOG_INVALID */
export async function readCatalogue(file = join(OWN, 'catalogue.yaml')): Promise<CatalogueEntry[]> {
  const value: unknown = parseYaml(await readFile(file, 'utf8'));
  return parse(Catalogue, value, { code: 'CATALOG_INVALID', prefix: 'models/catalogue.yaml' }).models;
}

/** Folder of a model, by its name or by its own path. @throws QianliyanError MODEL_INVALID when there is none */
export async function resolveModel(name: string, dataFolder?: string): Promise<string> {
  const isName = /^[a-z0-9][a-z0-9-]{0,63}$/.test(name);
  const candidates = [
    ...(isName && dataFolder ? [join(dataFolder, 'models', name)] : []),
    ...(isName ? [join(OWN, name)] : []),
    isAbsolute(name) ? name : resolve(name),
  ];
  for (const folder of candidates) {
    if (await hasManifest(folder)) return folder;
  }
  const known = (await readCatalogue()).some((e) => e.manifest.name === name);
  const detail = known
    ? `${name} is in the catalogue but not added: qianliyan models add ${name}`
    : `no model ${name}`;
  throw new QianliyanError('MODEL_INVALID', detail, {
    problems: [
      {
        path: 'model',
        found: name,
        allowed: 'a name that qianliyan models list shows, or a folder with manifest.yaml',
      },
    ],
  });
}

const hasManifest = (folder: string) =>
  stat(join(folder, 'manifest.yaml')).then(
    (s) => s.isFile(),
    () => false,
  );

export async function listModels(dataFolder?: string): Promise<ListedModel[]> {
  const own = await inFolder(OWN, 'built-in');
  const added = dataFolder ? await inFolder(join(dataFolder, 'models'), 'added') : [];
  const here = new Set([...own, ...added].map((m) => m.name));
  const rest = (await readCatalogue())
    .filter((e) => !here.has(e.manifest.name))
    .map(({ manifest, url }) => listed(manifest, 'catalogue', null, url));
  return [...own, ...added, ...rest];
}

async function inFolder(parent: string, where: 'built-in' | 'added'): Promise<ListedModel[]> {
  const names = await readdir(parent).catch(() => []);
  const folders = [];
  for (const name of names.sort()) {
    const folder = join(parent, name);
    if (await hasManifest(folder)) folders.push(folder);
  }
  const read = await Promise.all(folders.map((folder) => readModel(folder)));
  return read.map(({ folder, manifest }) => listed(manifest, where, folder, manifest.origin.source));
}

function listed(
  manifest: Manifest,
  where: ListedModel['where'],
  folder: string | null,
  source: string,
): ListedModel {
  return {
    name: manifest.name,
    licence: manifest.licence,
    classes: manifest.classes.length,
    where,
    folder,
    source,
  };
}

/** Loads the model as a worker would and gives its manifest back. @throws QianliyanError MODEL_INVALID */
export async function checkModel(name: string, dataFolder?: string): Promise<Manifest> {
  const model = await loadModel(await resolveModel(name, dataFolder));
  await model.close();
  return model.manifest;
}

/**
 * Adds a model of the catalogue: from a file or address, else from where the catalogue says. The bytes are held against
 * size and SHA-256, the folder is put in place only when the model loads.
 *
 * @returns the folder
 * @throws QianliyanError NOT_FOUND, MODEL_INVALID
 */
export async function addModel(
  name: string,
  options: { dataFolder: string; from?: string },
): Promise<string> {
  const entry = (await readCatalogue()).find((e) => e.manifest.name === name);
  if (!entry) throw new QianliyanError('NOT_FOUND', `the catalogue has no model ${name}`);
  const bytes = await fetchBytes(options.from ?? entry.url, entry.bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== entry.manifest.sha256) {
    throw new QianliyanError(
      'MODEL_INVALID',
      `${name}: SHA-256 is ${sha256}, expected ${entry.manifest.sha256}`,
      {
        problems: [{ path: 'sha256', found: sha256, allowed: entry.manifest.sha256 }],
      },
    );
  }
  return install(entry.manifest, bytes, join(options.dataFolder, 'models'));
}

async function install(manifest: Manifest, bytes: Uint8Array, parent: string): Promise<string> {
  const [folder, fresh] = [join(parent, manifest.name), join(parent, `.${manifest.name}.new`)];
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  try {
    await writeFile(join(fresh, manifest.file), bytes);
    await writeFile(join(fresh, 'manifest.yaml'), stringify(manifest));
    await (await loadModel(fresh)).close();
    await rm(folder, { recursive: true, force: true });
    await rename(fresh, folder);
    return folder;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function fetchBytes(from: string, expected: number): Promise<Uint8Array> {
  try {
    if (!/^https?:\/\//.test(from)) return await readFile(from);
    const response = await fetch(from, { signal: AbortSignal.timeout(300_000) });
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    return await bounded(response.body, expected);
  } catch (cause) {
    throw new QianliyanError(
      'MODEL_INVALID',
      `cannot read ${from}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** Never takes more than was announced in the catalogue. */
async function bounded(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new Error(`longer than the ${limit} bytes that the catalogue announces`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
