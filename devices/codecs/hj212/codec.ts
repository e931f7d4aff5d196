import { type Hj212Profile, Hj212Profile as Profile } from '../../../contracts/index.ts';
import { type FactorTable, factorTable } from '../../hj212/factors.ts';
import { type FrameResult, FrameSplitter } from '../../hj212/framing.ts';
import { PacketSets } from '../../hj212/packets.ts';
import { Repeats } from '../../hj212/repeats.ts';
import { parseDeviceTopic } from '../../topics.ts';
import {
  type Address,
  type Codec,
  type CodecInput,
  type Decoded,
  type DecodedOne,
  rejected,
} from '../codec.ts';
import { decodeFrame, type FrameContext, type FrameOutcome } from './frame.ts';

/**
 * HJ 212 frames as payload: `v1/devices/<id>/hj212`, and `hj212/<MN>`, which is what the TCP gateway hands on. A payload is
 * one frame or several (`##`, length, segment, CRC; CR LF or none). A bare data segment is none: without length and CRC
 * nobody could tell a whole one from a part.
 *
 *   payload ─framing, by the device's profile: CRC variant, SM4 key, longest segment─▶ frames ─frame.ts─▶ readings, why not
 *
 * The MN in a frame must be the addressed device's. What is remembered (frames that may come again, sub-packages) is bounded
 * (repeats.ts, packets.ts). PW is clear text, which anyone on the way can read: it is not looked at.
 */
export interface Hj212CodecOptions {
  /** Of DataTime, which names no zone: that of Beijing. */
  utcOffsetMs: number;
  /** The key of a device whose segments are encrypted, 16 bytes; null: it has none. */
  secretOf?: (device: string, name: 'hj212-sm4') => Buffer | null;
}

const TOPIC = /^hj212\/([^\s/+#]{1,64})$/;

export function hj212(options: Hj212CodecOptions): Codec {
  const table: FactorTable = factorTable();
  const packets = new PacketSets();
  const repeats = new Repeats();
  const usual = Profile.parse({});

  return {
    name: 'hj212',
    match,
    decode(input) {
      const profile = input.device?.hj212 ?? usual;
      const context: FrameContext = {
        input,
        profile,
        table,
        packets,
        repeats,
        utcOffsetMs: options.utcOffsetMs,
      };
      const key =
        input.device === undefined ? null : (options.secretOf?.(input.device.id, 'hj212-sm4') ?? null);
      const outcomes = cut(input.payload, profile, key).map((frame) => decodeFrame(frame, context));
      return together(outcomes, input);
    },
    overdue: (now) =>
      packets.expire(now).map(({ mn, detail }) => ({
        device: `hj212:${mn}`,
        topic: `hj212/${mn}`,
        rejected: { reason: 'packet-incomplete', detail },
      })),
  };
}

function match(topic: string): Address | null {
  const mn = TOPIC.exec(topic)?.[1];
  if (mn !== undefined) return { device: `hj212:${mn}`, kind: 'readings', detail: '' };
  const at = parseDeviceTopic(topic);
  if (at?.channel !== 'hj212' || at.rest !== '') return null;
  return { device: at.device, kind: 'readings', detail: '' };
}

/** Broken pieces of one payload that are told one by one. */
const MOST_BROKEN = 20;
const SLICE_BYTES = 4_096;

/** Slice by slice: of a payload that is broken all through, the rest is not looked at, so that it holds nobody up. */
function cut(payload: Buffer, profile: Hj212Profile, key: Buffer | null): FrameResult[] {
  const splitter = new FrameSplitter({
    maxSegment: profile.maxSegmentBytes,
    crc: [profile.crc],
    key,
    braces: profile.encrypted,
  });
  const results: FrameResult[] = [];
  for (let at = 0; at <= payload.length; at += SLICE_BYTES) {
    const slice = payload.subarray(at, at + SLICE_BYTES);
    results.push(...splitter.push(slice), ...(at + SLICE_BYTES > payload.length ? splitter.end() : []));
    const end = endOfPatience(results);
    if (end !== null) return end;
  }
  return results;
}

/** Null: there is patience left. */
function endOfPatience(results: readonly FrameResult[]): FrameResult[] | null {
  const broken = results.filter((result) => !result.ok);
  const last = broken[MOST_BROKEN];
  if (last === undefined || last.ok) return null;
  const message = `more than ${MOST_BROKEN} broken pieces; from here on the payload was not looked at`;
  return [...results.slice(0, results.indexOf(last)), { ...last, code: 'no-header', message }];
}

/** Of several frames each is taken by itself: one may be re-sent, and another broken. */
function together(outcomes: readonly FrameOutcome[], { address, payload }: CodecInput): Decoded {
  const [first] = outcomes;
  if (first === undefined)
    return rejected('malformed', `payload: ${payload.length} bytes, and no frame in them`);
  const parts = outcomes.flatMap((outcome) => outcome.decoded);
  const kept = outcomes.flatMap((outcome) => outcome.kept ?? []);
  const settled = (whole: boolean) => {
    for (const tell of whole ? kept : []) tell();
  };
  const after = kept.length === 0 ? {} : { settled };
  const [one] = parts;
  if (parts.length === 1 && one !== undefined) return { ...one, ...after };
  const device = address.device ?? '';
  return { kind: 'several', parts: parts.map((decoded: DecodedOne) => ({ device, decoded })), ...after };
}
