/**
 * The memory of one datastream's scorer is one Float64Array; each branch owns a run of cells and names them by offset.
 * So it can be saved and restored bit for bit, has a fixed size, and a million of them could lie in one block.
 */

/** Typed arrays have no holes within their length; this only tells the compiler so. */
export function cell(cells: Float64Array, i: number): number {
  return cells[i] as number;
}

/** Exact bits as base64 (little-endian, as on every machine that Node runs on). */
export function cellsToText(cells: Float64Array): string {
  return Buffer.from(cells.buffer, cells.byteOffset, cells.byteLength).toString('base64');
}

/** Fills `cells` from text; false when the text is of another length, and then nothing is changed. */
export function cellsFromText(cells: Float64Array, text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== cells.byteLength) return false;
  new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength).set(bytes);
  return true;
}
