import { compilePath, inWords, type Path, valueAt } from './path.ts';

/**
 * Texts with gaps: `{name}` is a named part of the topic, `{$.path}` a value of the payload, and in the property of an
 * open path `{*}` the key that its star stands for. All else stands as it is written: `chirpstack:{eui}`.
 */
export interface Template {
  readonly pieces: readonly Piece[];
  /** It needs the payload. */
  readonly fromPayload: boolean;
}

type Piece = string | { name: string } | { path: Path };

export interface Gaps {
  /** By name, from the topic; `*` where there is one. */
  names: ReadonlyMap<string, string>;
  payload: unknown;
}

const MOST_CHARACTERS = 200;

/** The template, or what is wrong with it. */
export function compileTemplate(text: string, names: readonly string[]): Template | string {
  const pieces: Piece[] = [];
  for (const [i, part] of text.split(/\{([^{}]*)\}/).entries()) {
    const piece = i % 2 === 0 ? plain(part) : gap(part, names);
    if (typeof piece === 'string' && piece !== part) return piece;
    if (piece !== '') pieces.push(piece);
  }
  return { pieces, fromPayload: pieces.some((piece) => typeof piece === 'object' && 'path' in piece) };
}

function plain(part: string): string {
  return /[{}]/.test(part) ? 'each { needs its }, and nothing between them but a name or a path' : part;
}

function gap(inner: string, names: readonly string[]): Piece {
  if (inner.startsWith('$')) {
    const path = compilePath(inner);
    if (typeof path === 'string') return `{${inner}}: ${path}`;
    return path.open ? `{${inner}}: a path without * is allowed` : { path };
  }
  if (names.includes(inner)) return { name: inner };
  const known = names.map((name) => `{${name}}`).join(', ');
  return `{${inner}} is unknown; ${known === '' ? '' : `${known} or `}{$.path} is allowed`;
}

/** The text with its gaps filled, or a sentence that says which one cannot be. */
export function fill({ pieces }: Template, gaps: Gaps): { text: string } | { problem: string } {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else if ('name' in piece) text += gaps.names.get(piece.name) ?? '';
    else {
      const value = valueAt(piece.path, gaps.payload);
      const usable =
        typeof value === 'string' ? value.trim() : Number.isSafeInteger(value) ? String(value) : '';
      if (usable === '') {
        return { problem: `${piece.path.text}: ${inWords(value)} found; text or a whole number is allowed` };
      }
      text += usable;
    }
  }
  if (text !== '' && text.length <= MOST_CHARACTERS) return { text };
  return { problem: `${text.length} characters found; 1 to ${MOST_CHARACTERS} are allowed` };
}
