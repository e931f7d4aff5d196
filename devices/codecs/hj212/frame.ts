import type { Hj212Profile } from '../../../contracts/index.ts';
import { meaningOf } from '../../hj212/commands.ts';
import type { CpContent } from '../../hj212/cp.ts';
import type { FactorTable } from '../../hj212/factors.ts';
import { SegmentFault } from '../../hj212/fault.ts';
import type { FrameResult } from '../../hj212/framing.ts';
import { cpRange, type Edition, type Hj212Head, parseHead } from '../../hj212/head.ts';
import type { PacketSets } from '../../hj212/packets.ts';
import { toReadings } from '../../hj212/readings.ts';
import { contentHash, type Repeats } from '../../hj212/repeats.ts';
import { parseSegment } from '../../hj212/segment.ts';
import { type CodecInput, type DecodedOne, type Rejected, rejected } from '../codec.ts';

/**
 * What becomes of one frame; the first thing that is wrong rejects it:
 *
 *   1 framing    malformed, crc-mismatch, not-decrypted, payload-too-large      4 command   nothing to keep, or unmapped
 *   2 sender     device-mismatch                                               5 repeat    nothing, or duplicate-conflict
 *   3 secrecy    not-decrypted (plain, though its profile says encrypted)      6 values    each by itself
 */
export interface FrameContext {
  input: CodecInput;
  profile: Hj212Profile;
  table: FactorTable;
  packets: PacketSets;
  repeats: Repeats;
  utcOffsetMs: number;
}

export interface FrameOutcome {
  decoded: DecodedOne[];
  /** To be called once all of it is durable. */
  kept?: () => void;
}

type Sound = FrameResult & { ok: true };

export function decodeFrame(frame: FrameResult, context: FrameContext): FrameOutcome {
  if (!frame.ok) return { decoded: [whyNoFrame(frame, context.input.payload)] };
  try {
    return decodeSound(frame, parseHead(frame.segment), context);
  } catch (error) {
    if (!(error instanceof SegmentFault)) throw error;
    const detail = `frame at byte ${frame.at}: ${error.code}: ${error.message} (byte ${error.at} of the data segment)`;
    return { decoded: [rejected('malformed', detail)] };
  }
}

const FRAME_REASONS = {
  'no-header': 'malformed',
  'too-long': 'payload-too-large',
  'length-mismatch': 'malformed',
  'crc-mismatch': 'crc-mismatch',
  'not-decrypted': 'not-decrypted',
  incomplete: 'malformed',
} as const;

function whyNoFrame(frame: FrameResult & { ok: false }, payload: Buffer): DecodedOne {
  const bare = frame.code === 'no-header' && payload.includes('CP=&&') && !payload.includes('##');
  const hint = bare ? '; a bare data segment is not taken: it needs ##, its length and its CRC' : '';
  return rejected(
    FRAME_REASONS[frame.code],
    `frame at byte ${frame.at}: ${frame.code}: ${frame.message}${hint}`,
  );
}

function decodeSound(frame: Sound, head: Hj212Head, context: FrameContext): FrameOutcome {
  const refusal = foreign(head, context.input) ?? uncovered(frame, head, context.profile);
  if (refusal !== null) return { decoded: [refusal] };
  const { cn } = head;
  if (cn === null) return { decoded: [rejected('malformed', 'CN: the frame names no command')] };
  const meaning = meaningOf(cn);
  if (meaning.kind === 'nothing') return { decoded: [{ kind: 'nothing' }] };
  if (meaning.kind === 'unmapped')
    return { decoded: [rejected('schema', `CN ${cn} is not mapped to observations: ${meaning.why}`)] };
  return once(frame, head, context, () => valuesOf(frame, head, context));

  function valuesOf(sound: Sound, own: Hj212Head, { input, packets }: FrameContext): Given {
    const { packet } = own;
    // What an earlier set of packets lacks is told with the next frame of its sender, if nobody asked before.
    const late = input.again ? [] : packets.expire(input.receivedAt, own.mn ?? '');
    const overdue = late.map((set) => incomplete(set.detail));
    if (packet === null || packet.total === 1) {
      const segment = parseSegment(sound.segment);
      return given(segment, overdue, segment.edition);
    }
    const content = packets.arrive({ ...own, packet }, sound.segment, input.receivedAt);
    const faults = content.faults.map((fault) => ({ reason: 'malformed', detail: `CP: ${fault}` }) as const);
    const { waiting } = content;
    const held =
      waiting === null ? [] : [incomplete(`packet ${packet.index} of ${packet.total}: ${waiting}`)];
    return given(content, [...faults, ...held, ...overdue], own.edition);
  }

  function given(content: CpContent, before: readonly Rejected[], said: Edition): Given {
    const { profile, input, table, utcOffsetMs } = context;
    const edition = profile.edition === 'by-flag' ? said : (Number(profile.edition) as Edition);
    const statistic = meaning.kind === 'values' ? meaning.statistic : 'instant';
    const rules = { profile, device: input.device, table, utcOffsetMs };
    const { readings, rejected: bad } = toReadings({ ...content, edition, st: head.st, statistic }, rules);
    return { readings, rejected: [...before, ...bad], source: sourceOf(frame, head, edition) };
  }
}

function incomplete(detail: string): Rejected {
  return { reason: 'packet-incomplete', detail };
}

interface Given {
  readings: ReturnType<typeof toReadings>['readings'];
  rejected: Rejected[];
  source: string;
}

/**
 * A frame that came before is answered again, and is nothing new; with other content it is an event of its own. What is run
 * again out of quarantine is read again: some of it was refused.
 */
function once(frame: Sound, head: Hj212Head, context: FrameContext, read: () => Given): FrameOutcome {
  const { repeats, input } = context;
  const sender = head.mn ?? '';
  const key = keyOf(frame, head);
  if (key === null) return { decoded: [asDecoded(read())] };
  const hash = contentHash(head.resent ? withoutMark(frame.segment) : frame.segment);
  const before = repeats.judge(sender, key, hash);
  if (before.seen === 'other') return { decoded: [conflict(head, before.before, hash)] };
  if (input.again) return { decoded: [asDecoded(read())] };
  if (before.seen === 'same' && before.durable)
    return { decoded: [{ kind: 'nothing', repeats: before.values }] };
  const values = read();
  repeats.remember(sender, key, hash, values.readings.length);
  return { decoded: [asDecoded(values)], kept: () => repeats.durable(sender, key) };
}

/**
 * QN, CN and PNO, and DataTime with them: QN names an exchange, and the records that a host has asked for all come under
 * that of its request. Null: a frame without QN is known by its values alone.
 */
function keyOf({ segment }: Sound, { qn, cn, packet }: Hj212Head): string | null {
  if (qn === null) return null;
  const time = /[&;,]DataTime=(\d{14,17})/.exec(segment.toString('latin1'))?.[1] ?? '';
  return `${qn}|${cn}|${packet?.index ?? 0}|${time}`;
}

/** A record that is sent again under its own QN is the same but for the mark that says so. */
function withoutMark(segment: Buffer): Buffer {
  return Buffer.from(segment.toString('latin1').replace(/(^|;)\s*RF\s*=\s*1\s*;/, '$1'), 'latin1');
}

function conflict({ mn, qn, cn, packet }: Hj212Head, before: string, hash: string): DecodedOne {
  const which = packet === null ? '' : ` PNO=${packet.index}`;
  const detail = `MN=${mn} QN=${qn} CN=${cn}${which} came before with other content: SHA-256 ${before}, now ${hash}; the first stays`;
  return rejected('duplicate-conflict', detail);
}

function asDecoded({ readings, rejected: bad, source }: Given): DecodedOne {
  const [only] = bad;
  if (readings.length === 0 && only === undefined) return { kind: 'nothing' };
  if (readings.length === 0 && bad.length === 1 && only !== undefined) return { kind: 'rejected', ...only };
  return bad.length === 0
    ? { kind: 'readings', readings, source }
    : { kind: 'readings', readings, rejected: bad, source };
}

/** `hj212-2017`, `hj212-2017+modbus`, `hj212-2025+resent`. */
function sourceOf({ crc }: Sound, { resent }: Hj212Head, edition: Edition): string {
  return `hj212-${edition}${crc === 'modbus' ? '+modbus' : ''}${resent ? '+resent' : ''}`;
}

/** The MN in the frame against whom the topic names: an MN itself (`hj212:<MN>`), or a device that has MNs. */
function foreign({ mn }: Hj212Head, { address, device }: CodecInput): DecodedOne | null {
  if (mn === null) return rejected('malformed', 'MN: the frame names no device');
  const named = address.device ?? '';
  const own = mnsAmong(device?.addresses ?? []);
  const allowed = named.startsWith('hj212:') ? mnsAmong([named]) : own.length > 0 ? own : [named];
  if (allowed.includes(mn)) return null;
  const hint = allowed[0] === named ? `; the registry names no address hj212:${mn} for it` : '';
  return rejected(
    'device-mismatch',
    `MN: ${JSON.stringify(mn)} found; ${allowed.join(', ')} is allowed${hint}`,
  );
}

function mnsAmong(addresses: readonly string[]): string[] {
  return addresses.filter((one) => one.startsWith('hj212:')).map((one) => one.slice('hj212:'.length));
}

/** 2025: commands whose CP must be encrypted. Plain ones of a device that encrypts may be anybody's. */
function uncovered(
  { encrypted, segment }: Sound,
  { cn }: Hj212Head,
  profile: Hj212Profile,
): DecodedOne | null {
  if (encrypted || !profile.encrypted || !/^(?:2\d{3}|1014|3020)$/.test(cn ?? '')) return null;
  const { from, to } = cpRange(segment.toString('latin1'));
  // A text of less than one group stays plain.
  if (to - from < 16) return null;
  return rejected(
    'not-decrypted',
    `the device's profile says encrypted, and the frame is plain text (CN ${cn})`,
  );
}
