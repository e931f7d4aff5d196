/**
 * Paths into a payload, as mappings write them:
 *
 *   AM2301.Temperature     keys, with dots between them
 *   SDS0X1["PM2.5"]        a key with dots, brackets or blanks in it
 *   rxInfo[0].rssi         an index, from 0
 *   object.*               every key of an object or entry of a list; at most one * in a path
 *   $                      the payload itself; `$.` may stand before any path
 *
 * Reading looks at own keys only, never at what JavaScript objects inherit, and never runs anything.
 */
export interface Path {
  readonly text: string;
  readonly steps: readonly Step[];
  /** It ends in more than one place. */
  readonly open: boolean;
}

type Step = string | number | typeof EVERY;
const EVERY = Symbol('every');

const MOST_STEPS = 16;
const MOST_FOUND = 1_000;
/** One step: `.key`, `["key"]`, `['key']`, `[0]`, `[*]`, `.*`. */
const STEP = /\.?([^.[\]"'*\s]+)|\.?(\*)|\["([^"]*)"\]|\['([^']*)'\]|\[(\d{1,6})\]|\[(\*)\]/y;

/** The path, or what is wrong with it. */
export function compilePath(text: string): Path | string {
  let at = text === '$' || /^\$[.[]/.test(text) ? 1 : 0;
  const steps: Step[] = [];
  while (at < text.length) {
    STEP.lastIndex = at;
    const found = STEP.exec(text);
    const dotted = text[at] === '.';
    // Between two keys stands a dot; before the first one only behind `$`.
    const fits = found !== null && (text[at] === '[' || dotted === at > 0);
    if (!fits)
      return `character ${at + 1} cannot be read; a path such as AM2301.Temperature, SDS0X1["PM2.5"] or rx[0].rssi is allowed`;
    const [whole, bare, star, double, single, index, every] = found;
    if (star !== undefined || every !== undefined) steps.push(EVERY);
    else steps.push(index === undefined ? (bare ?? double ?? single ?? '') : Number(index));
    at += whole.length;
  }
  if (steps.length > MOST_STEPS) return `at most ${MOST_STEPS} steps are allowed`;
  const stars = steps.filter((step) => step === EVERY).length;
  return stars > 1 ? 'at most one * is allowed' : { text, steps, open: stars === 1 };
}

/** What stands there; undefined when nothing does, or null. For paths without a star. */
export function valueAt(path: Path, payload: unknown): unknown {
  return walk(path.steps, payload);
}

/** What an open path finds, with the key that the star stood for; at most 1,000 of them. */
export function valuesAt({ steps }: Path, payload: unknown): { key: string; value: unknown }[] {
  const star = steps.indexOf(EVERY);
  const parent = walk(steps.slice(0, star), payload);
  if (typeof parent !== 'object' || parent === null) return [];
  const rest = steps.slice(star + 1);
  return Object.entries(parent)
    .slice(0, MOST_FOUND)
    .flatMap(([key, inner]) => {
      const value = walk(rest, inner);
      return value === undefined ? [] : [{ key, value }];
    });
}

function walk(steps: readonly Step[], payload: unknown): unknown {
  let value = payload;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || step === EVERY) return undefined;
    if (Array.isArray(value) !== (typeof step === 'number')) return undefined;
    value = Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
  }
  return value ?? undefined;
}

/** A found value in a few words; of objects the first keys only, so that no payload makes it long or deep. */
export function inWords(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') {
    const keys = Object.keys(value);
    const more = keys.length > 8 ? ', …' : '';
    return `an object with ${keys.length === 0 ? 'no keys' : `the keys ${keys.slice(0, 8).map(short).join(', ')}${more}`}`;
  }
  return typeof value === 'string' ? JSON.stringify(short(value)) : String(value);
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
