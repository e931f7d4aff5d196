/**
 * Topic patterns of mappings: MQTT filters whose levels may have names.
 *
 *   tele/{device}/SENSOR            one level, not empty, by the name `device`
 *   zigbee2mqtt/{device#}           one level or more, `/` between them; at most once in a pattern, anywhere in it
 *   application/+/device/{eui}/#    `+` and, at the end, `#` as in MQTT: any, without a name
 *
 * No regular expressions: matching takes time in proportion to the levels of the topic.
 */
export interface Pattern {
  /** Names, in the order of the pattern. */
  readonly names: readonly string[];
  readonly levels: readonly Level[];
}

type Level =
  | { kind: 'literal'; text: string }
  | { kind: 'one'; name: string | null }
  | { kind: 'many'; name: string | null; least: 0 | 1 };

const MOST_LEVELS = 32;
const NAMED = /^\{([A-Za-z][A-Za-z0-9_]{0,31})(#?)\}$/;

/** The pattern, or what is wrong with it: a rule that it breaks. */
export function compilePattern(text: string): Pattern | string {
  const parts = text.split('/');
  if (parts.length > MOST_LEVELS) return `at most ${MOST_LEVELS} levels are allowed`;
  const levels: Level[] = [];
  for (const [i, part] of parts.entries()) {
    const level = levelOf(part, i === parts.length - 1);
    if (typeof level === 'string') return level;
    levels.push(level);
  }
  if (levels.filter((level) => level.kind === 'many').length > 1) return 'only one # is allowed';
  const names = levels.flatMap((level) =>
    level.kind !== 'literal' && level.name !== null ? [level.name] : [],
  );
  if (new Set(names).size < names.length) return 'each name is allowed once';
  return { names, levels };
}

function levelOf(part: string, last: boolean): Level | string {
  if (part === '+') return { kind: 'one', name: null };
  if (part === '#') {
    return last ? { kind: 'many', name: null, least: 0 } : '# is allowed as the last level only';
  }
  const named = NAMED.exec(part);
  if (named !== null) {
    const name = named[1] ?? '';
    return named[2] === '#' ? { kind: 'many', name, least: 1 } : { kind: 'one', name };
  }
  if (/[+#{}]/.test(part)) {
    return `level ${JSON.stringify(part)}: plain text, +, #, {name} or {name#} is allowed`;
  }
  return { kind: 'literal', text: part };
}

/** What the names stand for in this topic; null when it does not match. */
export function matchTopic({ levels }: Pattern, topic: readonly string[]): Map<string, string> | null {
  const many = levels.findIndex((level) => level.kind === 'many');
  const stretch = topic.length - (levels.length - 1);
  if (many < 0 ? topic.length !== levels.length : stretch < leastOf(levels[many])) return null;
  const found = new Map<string, string>();
  let at = 0;
  for (const level of levels) {
    const taken = level.kind === 'many' ? stretch : 1;
    const text = taken === 1 ? (topic[at] ?? '') : topic.slice(at, at + taken).join('/');
    at += taken;
    if (level.kind === 'literal') {
      if (level.text !== text) return null;
    } else if (level.name !== null) {
      if (text === '') return null;
      found.set(level.name, text);
    }
  }
  return found;
}

function leastOf(level: Level | undefined): number {
  return level?.kind === 'many' ? level.least : 1;
}

/** Whether every topic of `inner` is one of `outer`: then `inner`, standing behind it, never gets a message. */
export function covers(outer: Pattern, inner: Pattern): boolean {
  return topicsOf(inner, outer.levels.length + 2).every((topic) => matchTopic(outer, topic) !== null);
}

/** Topics that stand for all of a pattern: where it is open, a level that no pattern can spell out. */
function topicsOf({ levels }: Pattern, most: number): string[][] {
  const many = levels.findIndex((level) => level.kind === 'many');
  const lengths = many < 0 ? [1] : Array.from({ length: most }, (_, i) => i + leastOf(levels[many]));
  return lengths.map((length) =>
    levels.flatMap((level) => {
      if (level.kind === 'literal') return [level.text];
      return Array<string>(level.kind === 'many' ? length : 1).fill(ANY);
    }),
  );
}

/** U+0000 may not stand in a topic (MQTT 3.1.1, 1.5.3). */
const ANY = '\0';
