import type { z } from 'zod';

/** Looks into a zod schema for what an input could have said at a path: the names of the fields known there. */

interface Def {
  type: string;
  shape?: Record<string, z.ZodType>;
  innerType?: z.ZodType;
  element?: z.ZodType;
  valueType?: z.ZodType;
  options?: readonly z.ZodType[];
  items?: readonly z.ZodType[];
  left?: z.ZodType;
  right?: z.ZodType;
  in?: z.ZodType;
  getter?: () => z.ZodType;
}

/** Names of the fields that objects at this path may have, in the schema's order; empty when that is open. */
export function knownFields(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const names = inside([schema], path).flatMap((node) => Object.keys(defOf(node).shape ?? {}));
  return [...new Set(names)];
}

function inside(nodes: readonly z.ZodType[], path: readonly PropertyKey[]): z.ZodType[] {
  const open = nodes.flatMap(unwrap);
  const [key, ...rest] = path;
  if (key === undefined) return open;
  return inside(
    open.flatMap((node) => step(node, key)),
    rest,
  );
}

function defOf(node: z.ZodType): Def {
  return node._zod.def as unknown as Def;
}

/** Takes off what does not show in the input: defaults, optional, pipes, unions. */
function unwrap(node: z.ZodType): z.ZodType[] {
  const def = defOf(node);
  if (def.type === 'lazy' && def.getter !== undefined) return unwrap(def.getter());
  const next = def.innerType ?? def.in;
  if (next !== undefined) return unwrap(next);
  if (def.type === 'union') return (def.options ?? []).flatMap(unwrap);
  if (def.type === 'intersection') return [def.left, def.right].flatMap((side) => (side ? unwrap(side) : []));
  return [node];
}

function step(node: z.ZodType, key: PropertyKey): z.ZodType[] {
  const def = defOf(node);
  const next = def.shape?.[String(key)] ?? def.element ?? def.valueType ?? def.items?.[Number(key)];
  return next === undefined ? [] : [next];
}

/** The name most like the one written, when it is near enough to be a slip of the keyboard. */
export function nearest(name: string, known: readonly string[]): string | null {
  const ranked = known
    .map((other) => ({ other, distance: editDistance(name.toLowerCase(), other.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  const tolerance = Math.max(1, Math.ceil(name.length / 3));
  return best !== undefined && best.distance <= tolerance ? best.other : null;
}

/** Levenshtein, one row at a time; names are cut so that a long one costs nothing. */
function editDistance(a: string, b: string): number {
  const [left, right] = [a.slice(0, 64), b.slice(0, 64)];
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const swap = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
