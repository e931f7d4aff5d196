import { QianliyanError } from '../../../contracts/index.ts';
import {
  type Address,
  type Codec,
  type CodecInput,
  type Decoded,
  type DecodedOne,
  type Rejected,
  rejected,
} from '../codec.ts';
import { parseJson } from '../json-text.ts';
import { type Compiled, compileMapping, isOwnTopic } from './compile.ts';
import type { TopicMapping } from './config.ts';
import { inWords, valueAt } from './path.ts';
import { matchTopic } from './pattern.ts';
import { takeReadings } from './readings.ts';
import { fill } from './template.ts';

/**
 * Devices that cannot be changed, understood by configuration:
 *
 *   topic ─▶ mappings whose pattern it fits ─▶ first whose conditions hold ─▶ device, time, readings | status | nothing
 *
 * Mappings are compiled once; which of them a topic has is found once a topic. A value that is not there, or is no
 * number, is rejected by itself and the others are taken; a time or device that cannot be read rejects the message.
 * A payload for which no mapping's conditions hold is rejected too: what is meant to be dropped is dropped by a
 * mapping that says `ignore`, not by accident.
 */
export function topicMapping(mappings: readonly TopicMapping[], siteOffsetMs: number): Codec {
  const compiled = mappings.map((mapping) => compileOrThrow(mapping, siteOffsetMs));
  return {
    name: 'topic-mapping',
    match(topic) {
      if (compiled.length === 0 || isOwnTopic(topic)) return null;
      const levels = topic.split('/');
      const fitting = compiled.flatMap((mapping) => {
        const names = matchTopic(mapping.pattern, levels);
        return names === null ? [] : [{ mapping, names }];
      });
      // Behind one without conditions none gets a turn.
      const last = fitting.findIndex(({ mapping }) => mapping.when.length === 0);
      const candidates = last < 0 ? fitting : fitting.slice(0, last + 1);
      return candidates.length === 0 ? null : addressOf(candidates);
    },
    decode(input) {
      const { address } = input;
      return isMapped(address)
        ? decode(input, address)
        : rejected('codec-unknown', 'topic: no mapping has it');
    },
  };
}

interface Candidate {
  mapping: Compiled;
  names: ReadonlyMap<string, string>;
}

interface MappedAddress extends Address {
  candidates: readonly Candidate[];
}

function isMapped(address: Address): address is MappedAddress {
  return 'candidates' in address;
}

/** The device is known before the payload is read when all mappings that keep something of it name the same one. */
function addressOf(candidates: readonly Candidate[]): MappedAddress {
  const devices = candidates
    .filter(({ mapping }) => mapping.does.kind !== 'ignore')
    .map(({ mapping, names }) => {
      if (mapping.device.fromPayload) return null;
      const device = fill(mapping.device, { names, payload: undefined });
      return 'text' in device ? device.text : null;
    });
  const [first = null] = devices;
  const device = devices.every((one) => one === first) ? first : null;
  return { device, kind: 'readings', detail: '', candidates };
}

/** @throws QianliyanError CONFIG_INVALID; never for mappings that TopicMappings has parsed */
function compileOrThrow(mapping: TopicMapping, siteOffsetMs: number): Compiled {
  const problems: { path: string; found: unknown; allowed: string }[] = [];
  const compiled = compileMapping(mapping, siteOffsetMs, (path, allowed) =>
    problems.push({
      path: ['topicMappings', mapping.name, ...path].join('.'),
      found: mapping.topic,
      allowed,
    }),
  );
  if (compiled !== null) return compiled;
  const what = problems.map((p) => `${p.path}: ${p.allowed}`).join('\n');
  throw new QianliyanError('CONFIG_INVALID', what, { problems });
}

/** Of no device. */
const NOTHING: Decoded = { kind: 'several', parts: [] };

/** The payload as JSON, where it is that, and as text. */
interface Body {
  json: unknown;
  /** Why it is no JSON; null when it is. */
  notJson: Rejected | null;
  text: string;
}

function decode(input: CodecInput, { candidates, device }: MappedAddress): Decoded {
  const [first] = candidates;
  if (first?.mapping.does.kind === 'ignore' && first.mapping.when.length === 0) return NOTHING;
  const body = readBody(input.payload);
  const candidate = candidates.find(({ mapping }) => holds(mapping, body));
  if (candidate === undefined) return noMapping(candidates, body);
  const { mapping, names } = candidate;
  if (mapping.does.kind === 'ignore') return device === null ? NOTHING : { kind: 'nothing' };
  if (body.notJson !== null && readsJson(mapping)) return notJson(body.notJson);
  const payload = payloadFor(mapping, body);
  const decoded = decodeOne(candidate, payload, input.receivedAt);
  if (device !== null) return decoded;
  const owner = fill(mapping.device, { names, payload });
  if ('problem' in owner) return rejected('schema', `device (mapping ${mapping.name}): ${owner.problem}`);
  return { kind: 'several', parts: [{ device: owner.text, decoded }] };
}

function noMapping(candidates: readonly Candidate[], { json, notJson: why }: Body): Decoded {
  if (why !== null) return notJson(why);
  const names = candidates.map(({ mapping }) => mapping.name).join(', ');
  return rejected(
    'schema',
    `payload: ${inWords(json)} found, for which the conditions of no mapping hold (${names}); a mapping with \`ignore\` would pass over it`,
  );
}

function notJson({ reason, detail }: Rejected): Decoded {
  return rejected(reason, detail);
}

/** Words of status come bare as well as in JSON. */
function readsJson({ text, does }: Compiled): boolean {
  return !text && does.kind !== 'status';
}

function readBody(payload: Buffer): Body {
  const text = payload.toString('utf8').trim();
  const json = parseJson(text);
  return json.ok ? { json: json.value, notJson: null, text } : { json: undefined, notJson: json, text };
}

/** What the paths of a mapping look into. */
function payloadFor(mapping: Compiled, { json, notJson, text }: Body): unknown {
  return mapping.text || notJson !== null ? text : json;
}

function holds(mapping: Compiled, body: Body): boolean {
  if (mapping.when.length === 0) return true;
  if (body.notJson !== null && readsJson(mapping)) return false;
  const payload = payloadFor(mapping, body);
  return mapping.when.every(({ path, values, exists }) => {
    const found = valueAt(path, payload);
    if (exists !== null && (found !== undefined) !== exists) return false;
    return values === null || (typeof found !== 'object' && found !== undefined && values.has(String(found)));
  });
}

function decodeOne({ mapping, names }: Candidate, payload: unknown, receivedAt: number): DecodedOne {
  const { does } = mapping;
  if (does.kind === 'ignore') return { kind: 'nothing' };
  if (does.kind === 'status') {
    const found = does.paths
      .map((path) => valueAt(path, payload))
      .find((one) => one !== undefined && typeof one !== 'object');
    const status = found === undefined ? undefined : does.words.get(String(found));
    if (status !== undefined) return { kind: 'status', status };
    const allowed = [...does.words.keys()].slice(0, 10).join(', ');
    return rejected('schema', `status: ${inWords(found ?? payload)} found; ${allowed} is allowed`);
  }
  const time = mapping.time(payload, receivedAt);
  if (typeof time !== 'number') return rejected('schema', `time: ${time.problem}`);
  return takeReadings(mapping, does, { names, payload }, time);
}
