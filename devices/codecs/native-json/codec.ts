import type { z } from 'zod';
import { describeProblems, problemsOf } from '../../../backbone/validation.ts';
import { type NativeMessage, NativePayload, type Problem } from '../../../contracts/index.ts';
import { parseDeviceTopic } from '../../topics.ts';
import {
  type Codec,
  type CodecInput,
  type Decoded,
  type Reading,
  type Rejected,
  rejected,
} from '../codec.ts';
import { inflateThen } from '../gunzip.ts';
import { parseJson } from '../json-text.ts';
import { Rejections } from '../rejections.ts';
import { scanNativePayload } from './scan.ts';

/**
 * `v1/devices/<id>/observations`: the contract's NativePayload as JSON, gzip allowed.
 *
 * A payload that is no JSON, or breaks the schema, is rejected as a whole: nobody knows what its author meant. A
 * number that JSON can write but no double can hold (1e999) is a broken reading in a sound message: it alone is
 * rejected. Of a key that stands twice in one object the last holds, as everywhere with JSON.parse.
 */
export function nativeJson(options: { maxInflatedBytes: number }): Codec {
  return {
    name: 'native-json',
    match(topic) {
      const at = parseDeviceTopic(topic);
      if (at?.channel !== 'observations' || at.rest !== '') return null;
      return { device: at.device, kind: 'readings', detail: '' };
    },
    decode({ payload }: CodecInput) {
      return inflateThen(payload, options.maxInflatedBytes, 'not-json', decodeJson);
    },
  };
}

function decodeJson(payload: Buffer): Decoded {
  const readings = scanNativePayload(payload);
  return readings === null ? decodeSlowly(payload.toString('utf8')) : { kind: 'readings', readings };
}

export function toReadings(messages: readonly NativeMessage[]): Reading[] {
  const readings: Reading[] = [];
  for (const { time, statistic = 'instant', quality = 'valid', readings: byProperty } of messages) {
    for (const property in byProperty) {
      const said = byProperty[property];
      if (said === undefined) continue;
      readings.push(
        typeof said === 'number'
          ? { property, statistic, time, value: said, unit: null, quality }
          : {
              property,
              statistic,
              time,
              value: said.value,
              unit: said.unit ?? null,
              quality: said.quality ?? quality,
            },
      );
    }
  }
  return readings;
}

/** The schema's own word, once values that no double can hold are set aside. */
function decodeSlowly(text: string): Decoded {
  const json = parseJson(text);
  if (!json.ok) return rejected(json.reason, json.detail);
  const { value } = json;
  const broken = takeOutInfinities(value);
  const parsed = NativePayload.safeParse(value);
  if (parsed.success) {
    const messages = Array.isArray(parsed.data) ? parsed.data : [parsed.data];
    return { kind: 'readings', readings: toReadings(messages), rejected: broken };
  }
  return rejected('schema', describeIssues(parsed.error, value));
}

/** Removes readings that overflowed to Infinity, and says which. */
function takeOutInfinities(value: unknown): Rejected[] {
  const broken = new Rejections();
  for (const [i, message] of (Array.isArray(value) ? value : [value]).entries()) {
    const readings: unknown = isPlain(message) ? message.readings : undefined;
    if (!isPlain(readings)) continue;
    for (const [property, said] of Object.entries(readings)) {
      const number = isPlain(said) ? said.value : said;
      if (typeof number !== 'number' || Number.isFinite(number)) continue;
      delete readings[property];
      const path = `${Array.isArray(value) ? `[${i}].` : ''}readings.${property}`;
      broken.add('value-not-finite', () => `${path}: ${number} found, a finite number is allowed`);
    }
  }
  return broken.list();
}

/** The first few faults, each with path, what was found, and what is allowed. */
function describeIssues(error: z.ZodError, value: unknown): string {
  const problems = problemsOf(error, value, NativePayload).slice(0, 5).map(hinted);
  return describeProblems(problems).replaceAll('\n', '. ');
}

/** The commonest fault with times deserves its own word. */
function hinted(problem: Problem): Problem {
  const { path, found, allowed } = problem;
  const seconds = /(^|\.)time$/.test(path) && typeof found === 'number' && found >= 1e9 && found < 1e10;
  return seconds ? { ...problem, allowed: `${allowed}: milliseconds, and this looks like seconds` } : problem;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
