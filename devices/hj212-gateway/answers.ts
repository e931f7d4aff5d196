import type { Hj212Profile } from '../../contracts/index.ts';
import { encodeFrame, encodeSegment } from '../hj212/encode.ts';
import type { FrameHead } from './head.ts';

/**
 * What a frame of a device is answered with, once it is durable. Pure: frame and circumstances in, decision out.
 *
 *   upload (2011, 2051 …)     9014 data reply            echoes that frame's QN; ST=91; the device's PW and MN
 *   notification (1013 …)     9013 notification reply    the same
 *   reply to us (9011 …)      nothing
 *
 * Only a frame that asks for it (bit 0 of Flag) is answered: HJ 212-2017, 6.3.3 and table 4.
 */
export type NoAnswer =
  /** Flag says that no reply is needed. */
  | 'not-asked'
  /** It is itself a reply. */
  | 'is-reply'
  /** The checksum is wrong or the frame cannot be read: by the standard its processing ends there. */
  | 'not-sound'
  /** Nobody that the registry knows, and the configuration says that such are not answered. */
  | 'device-unknown';

export type Answer = '9013' | '9014' | NoAnswer;

/**
 * Told, rather than asked to keep something. 1013 asks for the time (2017); 1001 tells the hardware's serial number, 1014
 * asks for a new key and 9015 is a heartbeat (2025, of which we know what public implementers quote: each gets a 9013).
 */
const NOTIFICATIONS: ReadonlySet<string> = new Set(['1001', '1013', '1014', '9015']);
const REPLIES: ReadonlySet<string> = new Set(['9011', '9012', '9013', '9014']);

export function answerTo(head: FrameHead, options: { replyWithoutFlag: boolean }): Answer {
  if (head.cn !== null && REPLIES.has(head.cn)) return 'is-reply';
  if (!(head.flag === null ? options.replyWithoutFlag : (head.flag & 1) === 1)) return 'not-asked';
  return head.cn !== null && NOTIFICATIONS.has(head.cn) ? '9013' : '9014';
}

/** Version bits of Flag (bits 7–2) for what is sent to a device: by its profile, else as it speaks itself. */
export function versionFor(flag: number | null, profile: Hj212Profile | null): number {
  switch (profile?.edition) {
    case '2005':
      return 0;
    case '2017':
      return 1;
    case '2025':
      return 2;
    default:
      return (flag ?? 0) >> 2;
  }
}

/**
 * A 9013 or 9014 as a frame. From 2017 on the QN stands in the head and CP is empty; in 2005 the head of a reply has no QN
 * and CP holds it.
 */
export function encodeAnswer(cn: '9013' | '9014', head: FrameHead, profile: Hj212Profile | null): Buffer {
  const version = versionFor(head.flag, profile);
  const { qn, pw, mn } = head;
  const reply = { st: '91', cn, pw, mn, flag: version << 2 };
  const segment =
    version === 0
      ? encodeSegment({ ...reply, cp: qn === null ? '' : `QN=${qn}` })
      : encodeSegment({ ...reply, qn, cp: '' });
  return encodeFrame(segment, profile?.crc ?? 'standard');
}
