/** Rows in one statement: far below SQLite's 32,766 variables. */
const CHUNK = 400;

export function* chunks<T>(items: readonly T[], size = CHUNK): Generator<T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
