/**
 * HJ 212, the protocol of China's pollution monitors, in its 2005, 2017 and 2025 editions. Pure: bytes in, words out.
 *
 *   bytes ─framing▶ data segment ─head, cp▶ fields and items ─readings▶ values of properties, and what may not be taken
 *            └ crc, sm4                        └ packets: sub-packages joined      └ factors.yaml, commands, flags
 *                                            decode: one JSON line a frame (`qianliyan decode hj212`)
 *   segments and frames ◀─encode─ fields
 */
export { CRC, type CrcVariant, crcModbus, crcStandard, crcText } from './crc.ts';
export { type DecodedFrame, Hj212Decoder } from './decode.ts';
export { encodeFrame, encodeSegment, type SegmentFields } from './encode.ts';
export { type SegmentError, SegmentFault } from './fault.ts';
export {
  type FrameError,
  type FrameResult,
  FrameSplitter,
  type FramingOptions,
  type PeerProfile,
} from './framing.ts';
export { type Edition, type Hj212Head, parseHead } from './head.ts';
export { type Hj212Segment, parseSegment } from './segment.ts';
export { decryptSegment, encryptSegment } from './sm4.ts';
