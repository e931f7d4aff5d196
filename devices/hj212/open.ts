import { CRC, type CrcVariant, crcText } from './crc.ts';
import { decryptSegment, isSm4Key, looksEncrypted, looksPlain, readsAsText, withoutBraces } from './sm4.ts';

/**
 * Holds a data segment, as it was cut out of the wire, against its checksum; decrypts it where it is encrypted (2025: the
 * checksum is that of the plain text). No variant and no key is tried that the sender's profile does not name.
 */
export interface PeerProfile {
  /** Checksums that are accepted, in this order; `standard` when left out. */
  crc?: readonly CrcVariant[];
  /** SM4 key, 16 bytes; null or left out: encrypted segments are refused. */
  key?: Uint8Array | null;
  /** Cipher text may come in print notation, `{0xE4,0x3E,…}`. Only with a key. */
  braces?: boolean;
}

export type Opened =
  | { ok: true; segment: Buffer; crc: CrcVariant; encrypted: boolean }
  | { ok: false; code: 'crc-mismatch' | 'not-decrypted'; message: string; crcDigits: number };

const STANDARD: readonly CrcVariant[] = ['standard'];

/** `stated`: the four characters behind the segment. */
export function openSegment(wire: Buffer, stated: string, peer: PeerProfile): Opened {
  const accepted = peer.crc ?? STANDARD;
  const crc = fitting(wire, stated, accepted);
  if (crc !== undefined && looksPlain(wire)) return { ok: true, segment: wire, crc, encrypted: false };
  const opened = decrypted(wire, stated, peer, accepted);
  if (opened !== null) return opened;
  if (crc !== undefined && readsAsText(wire)) return { ok: true, segment: wire, crc, encrypted: false };
  if (looksEncrypted(wire)) return notDecrypted(wire, peer);
  if (crc !== undefined) return { ok: true, segment: wire, crc, encrypted: false };
  return mismatch(wire, stated, accepted);
}

function decrypted(wire: Buffer, stated: string, peer: PeerProfile, accepted: readonly CrcVariant[]) {
  const { key } = peer;
  if (key == null || !isSm4Key(key)) return null;
  const bytes = peer.braces ? (withoutBraces(wire) ?? wire) : wire;
  let segment: Buffer;
  try {
    segment = decryptSegment(bytes, key);
  } catch {
    // Without CP there is nothing to decrypt.
    return null;
  }
  const crc = fitting(segment, stated, accepted);
  // The checksum alone lets 1 of 256 wrong keys pass.
  return crc !== undefined && looksPlain(segment)
    ? ({ ok: true, segment, crc, encrypted: true } as const)
    : null;
}

function notDecrypted(wire: Buffer, { key, braces }: PeerProfile): Opened {
  const why =
    key == null
      ? 'no key is known for its sender'
      : !isSm4Key(key)
        ? 'the key known for its sender has not 16 bytes'
        : !braces && withoutBraces(wire) !== null
          ? 'it comes in print notation {0x..}, which only a profile that says "encrypted" allows'
          : 'with the key known for its sender it gives no text that its CRC fits: another key, or damage';
  return { ok: false, code: 'not-decrypted', message: `the data segment is encrypted; ${why}`, crcDigits: 4 };
}

function mismatch(wire: Buffer, stated: string, accepted: readonly CrcVariant[]): Opened {
  const digits = /^[0-9A-Fa-f]{0,4}/.exec(stated)?.[0] ?? '';
  const short =
    digits.length < 4 && digits !== '' && fitting(wire, digits.padStart(4, '0'), accepted) !== undefined;
  const hint = short ? '; its leading zero was dropped' : otherVariant(wire, stated, accepted);
  const said = JSON.stringify(short ? digits : stated);
  const expected = crcText(CRC[accepted[0] ?? 'standard'](wire));
  const message = `the frame says CRC ${said}, its data segment gives ${expected}${hint}`;
  return { ok: false, code: 'crc-mismatch', message, crcDigits: short ? digits.length : 4 };
}

const VARIANT_NAMES: Record<CrcVariant, string> = {
  standard: 'the standard’s own CRC',
  modbus: 'CRC16/MODBUS',
};

function otherVariant(wire: Buffer, stated: string, accepted: readonly CrcVariant[]): string {
  const others = (['standard', 'modbus'] as const).filter((variant) => !accepted.includes(variant));
  const other = fitting(wire, stated, others);
  return other === undefined
    ? ''
    : `; it fits ${VARIANT_NAMES[other]}, which a device profile may allow (hj212.crc: ${other})`;
}

function fitting(segment: Buffer, stated: string, variants: readonly CrcVariant[]): CrcVariant | undefined {
  return variants.find((variant) => crcText(CRC[variant](segment)) === stated.toUpperCase());
}
