import { type FieldValue, fieldValue, timestampOf } from './values.ts';

/**
 * One line of InfluxDB line protocol, taken apart:
 *
 *   measurement,tag=value,tag=value field=value,field=value timestamp
 *               └──────tags──────┘ └────────fields────────┘ └optional┘
 *
 * Escapes as InfluxDB has them: `\,` `\ ` in a measurement, `\,` `\=` `\ ` in keys and tag values, `\"` `\\` in text;
 * a backslash before anything else is a backslash. Text in quotes may hold line breaks, so that only this scanner knows
 * where a line ends. It looks at each character once, and never throws.
 */
export interface Line {
  /** 1 for the first of the payload. */
  number: number;
  measurement: string;
  tags: ReadonlyMap<string, string>;
  fields: ReadonlyMap<string, FieldValue>;
  /** As written, in the payload's precision; null when the line has none. */
  timestamp: bigint | null;
}

/** Where a line is broken, and how. `column` counts characters from 1. */
export interface BrokenLine {
  line: number;
  column: number;
  why: string;
}

export interface Parsed {
  lines: Line[];
  broken: BrokenLine[];
}

export const MOST_LINES = 10_000;
class Fault extends Error {
  readonly at: number;
  constructor(at: number, why: string) {
    super(why);
    this.at = at;
  }
}

/** Of more than MOST_LINES lines the rest is told as one broken line. */
export function parseLines(text: string): Parsed {
  const parsed: Parsed = { lines: [], broken: [] };
  const scanner = new Scanner(text);
  while (scanner.toNextLine()) {
    const { number, start } = scanner;
    if (parsed.lines.length + parsed.broken.length >= MOST_LINES) {
      parsed.broken.push({ line: number, column: 1, why: `more than ${MOST_LINES} lines at once` });
      break;
    }
    try {
      parsed.lines.push(scanner.line());
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      parsed.broken.push({ ...placeOf(text, start, error.at, number), why: error.message });
      scanner.skipTo(start, number);
    }
  }
  return parsed;
}

class Scanner {
  /** Of the line at hand. */
  number = 1;
  start = 0;
  #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** To the first character of the next line with content; false at the end. */
  toNextLine(): boolean {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) return false;
      if (char === '#') this.#toLineEnd();
      else if (char === '\n') this.#newLine();
      else if (char === ' ' || char === '\t' || char === '\r') this.#at += 1;
      else break;
    }
    this.start = this.#text.lastIndexOf('\n', this.#at) + 1;
    return true;
  }

  line(): Line {
    const { number } = this;
    const measurement = this.#name(', ', 'a measurement');
    const tags = this.#tags();
    this.#blanks('fields');
    const fields = this.#fields();
    const timestamp = this.#timestamp();
    return { number, measurement, tags, fields, timestamp };
  }

  /** To the end of a broken line. Where its text should have ended nobody can tell: the next line break ends it. */
  skipTo(start: number, number: number): void {
    this.#at = start;
    this.number = number;
    this.#toLineEnd();
  }

  #tags(): Map<string, string> {
    const tags = new Map<string, string>();
    while (this.#text[this.#at] === ',') {
      this.#at += 1;
      const at = this.#at;
      const key = this.#name(',= ', 'a tag');
      if (this.#text[this.#at] !== '=')
        throw new Fault(this.#at, `tag ${show(key)} has no value: = is allowed here`);
      this.#at += 1;
      if (tags.has(key)) throw new Fault(at, `tag ${show(key)} stands twice`);
      tags.set(key, this.#name(',= ', `the value of tag ${show(key)}`));
      if (this.#text[this.#at] === '=')
        throw new Fault(this.#at, `= in the value of tag ${show(key)}: \\= is allowed`);
    }
    return tags;
  }

  #fields(): Map<string, FieldValue> {
    const fields = new Map<string, FieldValue>();
    for (;;) {
      const at = this.#at;
      const key = this.#name(',= ', 'a field');
      if (this.#text[this.#at] !== '=')
        throw new Fault(this.#at, `field ${show(key)} has no value: = is allowed here`);
      this.#at += 1;
      if (fields.has(key)) throw new Fault(at, `field ${show(key)} stands twice`);
      fields.set(key, this.#value(key));
      if (this.#text[this.#at] !== ',') return fields;
      this.#at += 1;
    }
  }

  /** Up to an unescaped character of `ends`, or the end of the line. */
  #name(ends: string, what: string): string {
    const start = this.#at;
    let name = '';
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || char === '\n' || ends.includes(char)) break;
      if (char === '\r' && this.#atLineEnd()) break;
      const next = this.#text[this.#at + 1];
      const escapes = char === '\\' && next !== undefined && ends.includes(next);
      name += escapes ? next : char;
      this.#at += escapes ? 2 : 1;
    }
    if (name === '') throw new Fault(start, `${what} is missing`);
    return name;
  }

  #value(key: string): FieldValue {
    if (this.#text[this.#at] === '"') return { kind: 'text', value: this.#quoted(key) };
    const start = this.#at;
    while (!this.#isEnd(this.#text[this.#at])) this.#at += 1;
    const word = this.#text.slice(start, this.#at);
    if (word === '') throw new Fault(start, `field ${show(key)} has no value`);
    const value = fieldValue(word);
    if (value !== null) return value;
    const allowed = 'a number, a whole number with i or u, true or false, or text in quotes is allowed';
    throw new Fault(start, `field ${show(key)}: ${show(word)} found; ${allowed}`);
  }

  #isEnd(char: string | undefined): boolean {
    return (
      char === undefined || char === ',' || char === ' ' || char === '\n' || char === '\r' || char === '\t'
    );
  }

  #quoted(key: string): string {
    const start = this.#at;
    let text = '';
    for (let at = start + 1; ; at += 1) {
      const char = this.#text[at];
      if (char === undefined) throw new Fault(start, `field ${show(key)}: text without closing quote`);
      if (char === '"') {
        this.#newLinesUpTo(at + 1);
        break;
      }
      const next = this.#text[at + 1];
      const escapes = char === '\\' && (next === '"' || next === '\\');
      text += escapes ? next : char;
      if (escapes) at += 1;
    }
    if (!this.#isEnd(this.#text[this.#at]))
      throw new Fault(this.#at, `field ${show(key)}: more behind the closing quote`);
    return text;
  }

  #timestamp(): bigint | null {
    this.#skipBlanks();
    if (this.#atLineEnd()) return null;
    const start = this.#at;
    while (!this.#isEnd(this.#text[this.#at])) this.#at += 1;
    const word = this.#text.slice(start, this.#at);
    const timestamp = timestampOf(word);
    if (timestamp === null)
      throw new Fault(start, `timestamp ${show(word)} found; a whole number (int64) is allowed`);
    this.#skipBlanks();
    if (!this.#atLineEnd())
      throw new Fault(this.#at, 'more behind the timestamp; the end of the line is allowed');
    return timestamp;
  }

  #blanks(before: string): void {
    if (this.#atLineEnd()) throw new Fault(this.#at, `${before} are missing`);
    this.#skipBlanks();
    if (this.#atLineEnd()) throw new Fault(this.#at, `${before} are missing`);
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
  }

  #atLineEnd(): boolean {
    const char = this.#text[this.#at];
    return (
      char === undefined || char === '\n' || (char === '\r' && (this.#text[this.#at + 1] ?? '\n') === '\n')
    );
  }

  #toLineEnd(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #newLine(): void {
    this.#at += 1;
    this.number += 1;
  }

  #newLinesUpTo(end: number): void {
    for (
      let at = this.#text.indexOf('\n', this.#at);
      at >= 0 && at < end;
      at = this.#text.indexOf('\n', at + 1)
    )
      this.number += 1;
    this.#at = end;
  }
}

/** A line may hold line breaks, in text. */
function placeOf(text: string, start: number, at: number, number: number): { line: number; column: number } {
  const before = text.slice(start, at);
  const breaks = before.split('\n');
  return { line: number + breaks.length - 1, column: (breaks.at(-1) ?? '').length + 1 };
}

function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}
