/**
 * HJ 212, the protocol of China's pollution monitors, in its 2005, 2017 and 2025 editions.
 *
 *   bytes ─framing▶ data segment ─segment▶ fields and items ─decode▶ one JSON line a frame
 *                    └ crc
 */
export { type CrcVariant, crcModbus, crcStandard, crcText } from './crc.ts';
export { type DecodedFrame, Hj212Decoder } from './decode.ts';
export { encodeFrame, encodeSegment, type SegmentFields } from './encode.ts';
export type { FramingOptions } from './framing.ts';
