import { CompiledQuery, PostgresAdapter } from 'kysely';
import { chunks } from './chunks.ts';
import type { AlertingTables, Tx } from './tables.ts';

/**
 * Inserts many rows in few statements. The query builder makes an object of every single value, which costs more than the
 * insert itself; here the text depends on the number of rows alone and the values go straight to the driver.
 * @param update columns that a row with a known `id` gets anew; none: such a row is an error
 */
export async function insertRows<T extends keyof AlertingTables>(
  tx: Tx,
  table: T,
  rows: readonly AlertingTables[T][],
  update: readonly (keyof AlertingTables[T] & string)[] = [],
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.keys(first) as (keyof AlertingTables[T] & string)[];
  const numbered = tx.getExecutor().adapter instanceof PostgresAdapter;
  for (const some of chunks(rows)) {
    const sql = insertText(table, columns, some.length, update, numbered);
    const values = some.flatMap((row) => columns.map((column) => row[column]));
    await tx.executeQuery(CompiledQuery.raw(sql, values));
  }
}

/** Names are those of our own tables: nothing from outside gets into the text. */
function insertText(
  table: string,
  columns: readonly string[],
  count: number,
  update: readonly string[],
  numbered: boolean,
): string {
  const names = columns.map((c) => `"${c}"`).join(', ');
  const placeholder = (n: number) => (numbered ? `$${n}` : '?');
  const row = (r: number) => `(${columns.map((_, c) => placeholder(r * columns.length + c + 1)).join(', ')})`;
  const rows = Array.from({ length: count }, (_, r) => row(r)).join(', ');
  const changes = update.map((c) => `"${c}" = excluded."${c}"`).join(', ');
  const conflict = changes === '' ? '' : ` on conflict ("id") do update set ${changes}`;
  return `insert into "${table}" (${names}) values ${rows}${conflict}`;
}
