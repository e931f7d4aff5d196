import type { Rejected } from './codec.ts';

/**
 * JSON as devices write it, or why it is none. Bytes that are no UTF-8 become replacement characters, and so no JSON
 * outside of texts; a byte order mark before it is passed over, as RFC 8259 (8.1) allows.
 */
export type ParsedJson = { ok: true; value: unknown } | ({ ok: false } & Rejected);

export function parseJson(text: string): ParsedJson {
  try {
    return { ok: true, value: JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) };
  } catch (error) {
    return { ok: false, ...notJson(text, error) };
  }
}

/** Many programs write NaN and Infinity into what they call JSON: that deserves its own word. */
function notJson(text: string, error: unknown): Rejected {
  const bare = /([:[,]\s*)(-?(?:NaN|Infinity|inf|nan))(?=\s*[,}\]])/g;
  const first = bare.exec(text);
  if (first !== null && isJson(text.replace(bare, '$1null'))) {
    const detail = `payload: ${first[2]} found at ${first.index}, a finite number is allowed`;
    return { reason: 'value-not-finite', detail };
  }
  if (text === '') return { reason: 'not-json', detail: 'payload: empty; JSON is allowed' };
  const why = error instanceof Error ? error.message : String(error);
  return { reason: 'not-json', detail: `payload: JSON is allowed; ${why.slice(0, 160)}` };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
