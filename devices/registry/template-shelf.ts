import { isDeepStrictEqual } from 'node:util';
import type { Kysely, Transaction } from 'kysely';
import { QianliyanError } from '../../contracts/index.ts';
import type { DeviceTables } from './tables.ts';
import { loadTemplates, Template, type Templates } from './templates.ts';
import { type Author, highest, type TemplateMark } from './versions.ts';

/**
 * All templates: the product's and those that people wrote, with every version that a device was ever made from, so that
 * a device can follow a change. A product template gets its row when a device is first made from it, and a new one when
 * the product has changed it since.
 */
export interface TemplateInfo {
  name: string;
  source: 'own' | 'product';
  /** 0: of the product, and no device was made from it yet. */
  version: number;
  template: Template;
}

interface Row {
  version: number;
  source: 'own' | 'product';
  template: Template;
}

export function templateShelf(db: Kysely<DeviceTables>) {
  const ofProduct = loadTemplates();
  /** What a list may name now, by name. */
  const usable = new Map(ofProduct);
  /** Rows of the records in the order of their versions, by name. */
  const rows = new Map<string, Row[]>();
  let lastChanged = 0;

  const latest = (name: string): Row | undefined => rows.get(name)?.at(-1);

  function info(name: string): TemplateInfo | undefined {
    const template = usable.get(name);
    if (template === undefined) return undefined;
    const row = latest(name);
    return { name, source: row?.source ?? 'product', version: row?.version ?? 0, template };
  }

  return {
    usable: usable as Templates,
    info,
    all: (): TemplateInfo[] => [...usable.keys()].sort().flatMap((name) => info(name) ?? []),
    at: (mark: TemplateMark): Template | undefined =>
      rows.get(mark.name)?.find((row) => row.version === mark.version)?.template,

    async load(): Promise<void> {
      const read = await db
        .selectFrom('device_templates')
        .selectAll()
        .where('changed', '>', lastChanged)
        .orderBy('changed')
        .execute();
      for (const row of read) {
        lastChanged = Math.max(lastChanged, Number(row.changed));
        const template = readTemplate(row.name, row.document);
        rows.set(row.name, [
          ...(rows.get(row.name) ?? []),
          { version: row.version, source: row.source, template },
        ]);
        if (row.source === 'own') usable.set(row.name, template);
      }
    },

    /** The version that a device made now is made from; it is written when there is no row of it yet. */
    async mark(tx: Transaction<DeviceTables>, name: string, now: number): Promise<TemplateMark> {
      const template = usable.get(name);
      const row = latest(name);
      if (row !== undefined && isDeepStrictEqual(row.template, template))
        return { name, version: row.version };
      const version = (row?.version ?? 0) + 1;
      if (template !== undefined) {
        await insert(tx, { name, version, source: 'product', template }, now, { who: 'product', via: null });
      }
      return { name, version };
    },

    /** @returns the new version, or null when it is as it was */
    async put(tx: Transaction<DeviceTables>, name: string, template: Template, now: number, author: Author) {
      if (ofProduct.has(name) && latest(name)?.source !== 'own') {
        const problems = [
          { path: 'name', found: name, allowed: 'a name that no template of the product has' },
        ];
        throw new QianliyanError(
          'CONFLICT',
          `${name} is a template of the product; give yours another name`,
          { problems },
        );
      }
      const row = latest(name);
      if (row !== undefined && isDeepStrictEqual(row.template, template)) return null;
      const version = (row?.version ?? 0) + 1;
      await insert(tx, { name, version, source: 'own', template }, now, author);
      return version;
    },
  };
}

async function insert(
  tx: Transaction<DeviceTables>,
  { name, version, source, template }: TemplateInfo,
  since: number,
  { who, via }: Author,
): Promise<void> {
  const changed = (await highest(tx, 'device_templates', 'changed')) + 1;
  const document = JSON.stringify(template);
  await tx
    .insertInto('device_templates')
    .values({ name, version, source, document, since, who, via, changed })
    .execute();
}

function readTemplate(name: string, document: string): Template {
  const parsed = Template.safeParse(JSON.parse(document));
  if (parsed.success) return parsed.data;
  throw new QianliyanError('INTERNAL', `the registry's record of template ${name} is damaged`, {
    cause: parsed.error,
  });
}
