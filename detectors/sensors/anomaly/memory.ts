/**
 * The memory of one datastream's scorer: one block of bytes, read as wide numbers (state that accumulates) and, behind
 * them, narrow ones (stored values and means, for which seven digits do). Each branch owns a run of cells and names
 * them by offset.
 *
 * Promises: fixed size; saved and restored bit for bit; a million of them could lie in one block.
 */
export interface Memory {
  readonly wide: Float64Array;
  readonly narrow: Float32Array;
  readonly bytes: Uint8Array;
}

export function createMemory(wide: number, narrow: number): Memory {
  const block = new ArrayBuffer(8 * wide + 4 * narrow);
  return {
    wide: new Float64Array(block, 0, wide),
    narrow: new Float32Array(block, 8 * wide, narrow),
    bytes: new Uint8Array(block),
  };
}

/** Typed arrays have no holes within their length; this only tells the compiler so. */
export function at(cells: Float64Array | Float32Array, i: number): number {
  return cells[i] as number;
}

/** Exact bits as base64 (little-endian, as on every machine that Node runs on). */
export function memoryToText(memory: Memory): string {
  return Buffer.from(memory.bytes).toString('base64');
}

/** False when the text is of another length, and then nothing is changed. */
export function memoryFromText(memory: Memory, text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== memory.bytes.length) return false;
  memory.bytes.set(bytes);
  return true;
}
