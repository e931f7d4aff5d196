import { z } from 'zod';

/** One setting as the reference lists it. */
export interface Setting {
  path: string;
  /** Type and bounds in words. */
  allowed: string;
  default: unknown;
  description: string;
}

interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  pattern?: string;
}

/** Every setting of a configuration schema, made from the schema itself so that the reference cannot fall behind. */
export function settingsOf(schema: z.ZodType): Setting[] {
  return walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema, '');
}

function walk(node: JsonSchema, path: string): Setting[] {
  if (node.properties) {
    return Object.entries(node.properties).flatMap(([key, child]) =>
      walk(child, path ? `${path}.${key}` : key),
    );
  }
  const own = { path, allowed: allowedOf(node), default: node.default, description: node.description ?? '' };
  return [own, ...fieldsWithin(node, path)];
}

/** Objects within a setting that may also be null, a list, or a record: their fields are settings too. */
function fieldsWithin(node: JsonSchema, path: string): Setting[] {
  if (isSchema(node.items)) return fieldsWithin(node.items, `${path}[]`);
  if (isSchema(node.additionalProperties)) return fieldsWithin(node.additionalProperties, `${path}.<name>`);
  const options = node.anyOf ?? node.oneOf;
  if (options) return options.flatMap((option) => fieldsWithin(option, path));
  return node.properties ? fieldsOf(node, path) : [];
}

/** Which one of several an object is, is told by its `type`, which stands in the path. */
function fieldsOf({ properties = {} }: JsonSchema, path: string): Setting[] {
  const kind = properties.type?.const;
  const { type: _type, ...others } = properties;
  if (kind === undefined) return walk({ properties }, path);
  return walk({ properties: others }, `${path}(${String(kind)})`);
}

const isSchema = (node: unknown): node is JsonSchema => typeof node === 'object' && node !== null;

function allowedOf(node: JsonSchema): string {
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((v) => JSON.stringify(v)).join(' | ');
  const options = node.anyOf ?? node.oneOf;
  if (options) return [...new Set(options.map(allowedOf))].join(' | ');
  if (node.items) return `list of ${allowedOf(node.items)}`;
  if (isSchema(node.additionalProperties)) return 'object by name';
  return `${[node.type ?? 'any'].flat().join(' | ')}${boundsOf(node)}`;
}

function boundsOf(node: JsonSchema): string {
  const low = node.minimum ?? node.exclusiveMinimum;
  const high = node.maximum ?? node.exclusiveMaximum;
  const safe = (n: number | undefined) =>
    n !== undefined && Math.abs(n) >= Number.MAX_SAFE_INTEGER ? undefined : n;
  const [from, to] = [safe(low), safe(high)];
  if (from === undefined && to === undefined) return '';
  if (to === undefined) return node.minimum === undefined ? ` > ${from}` : ` ≥ ${from}`;
  if (from === undefined) return ` ≤ ${to}`;
  return ` ${from}…${to}`;
}
