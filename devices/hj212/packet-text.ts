/** The inside of CP of one packet, one character a byte. */
export interface Part {
  text: string;
  /** All that it holds was given. */
  given: boolean;
}

/** The packets without a gap around one of them, in order. */
export function runOf(parts: ReadonlyMap<number, Part>, index: number): { index: number; part: Part }[] {
  let first = index;
  while (parts.has(first - 1)) first -= 1;
  const run: { index: number; part: Part }[] = [];
  for (let i = first; ; i += 1) {
    const part = parts.get(i);
    if (part === undefined) return run;
    run.push({ index: i, part });
  }
}

/**
 * The texts as one, and where each lies in it. Makers either cut a long text anywhere, or give each packet whole items and
 * leave out the `;` between: where both sides of a border are whole items, one is put in.
 */
export function joinTexts(texts: readonly string[]): { text: string; ranges: [from: number, to: number][] } {
  let text = '';
  const ranges: [number, number][] = [];
  for (const next of texts) {
    if (text !== '' && bothWhole(text, next)) text += ';';
    ranges.push([text.length, text.length + next.length]);
    text += next;
  }
  return { text, ranges };
}

/** The last group may go on in the next packet: it is not closed by `;`, nor by the data flag that ends an item. */
export function tailIsOpen(text: string): boolean {
  const trimmed = text.trimEnd();
  if (trimmed === '' || trimmed.endsWith(';')) return false;
  return !/[-]E?Flag\s*=\s*[^,;=\s]+$/.test(lastPiece(trimmed));
}

function bothWhole(before: string, next: string): boolean {
  if (/[;,]\s*$/.test(before) || /^\s*[;,]/.test(next)) return false;
  if (/^\s*DataTime\s*=/.test(next)) return true;
  return lastPiece(before).includes('=') && /^[^;,=]*=/.test(next);
}

function lastPiece(text: string): string {
  return text.slice(Math.max(text.lastIndexOf(';'), text.lastIndexOf(',')) + 1);
}
