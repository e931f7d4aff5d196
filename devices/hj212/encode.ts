import { CRC, type CrcVariant, crcText } from './crc.ts';

/**
 * Writes HJ 212 data segments and frames: for the gateway's replies, and for tests. It writes what it is given; whether the
 * fields make sense is their author's business. Bytes are UTF-8 (HJ 212-2017, 6.2), lengths are bytes.
 */
export interface SegmentFields {
  /** `YYYYMMDDhhmmsszzz`; absent fields are left out, as editions and makers do. */
  qn?: string | null;
  st?: string | null;
  cn?: string | null;
  pw?: string | null;
  mn?: string | null;
  flag?: number | null;
  /** PNUM and PNO; the caller sets bit 1 of `flag` with it. */
  packet?: { total: number; index: number } | null;
  /** 2025: a record that is sent again. */
  resent?: boolean;
  /** What stands between `CP=&&` and `&&`. */
  cp: string;
}

/** The longest data segment that four digits of length can state. */
const MOST_BYTES = 9_999;

/** `QN=..;ST=..;CN=..;PW=..;MN=..;Flag=..;[PNUM=..;PNO=..;][RF=1;]CP=&&..&&` */
export function encodeSegment(fields: SegmentFields): Buffer {
  const { packet } = fields;
  const head: [string, string | number | null | undefined][] = [
    ['QN', fields.qn],
    ['ST', fields.st],
    ['CN', fields.cn],
    ['PW', fields.pw],
    ['MN', fields.mn],
    ['Flag', fields.flag],
    ['PNUM', packet?.total],
    ['PNO', packet?.index],
    ['RF', fields.resent ? 1 : null],
  ];
  const written = head.filter(([, value]) => value !== null && value !== undefined);
  return Buffer.from(`${written.map(([name, value]) => `${name}=${value};`).join('')}CP=&&${fields.cp}&&`);
}

/** `##` + length + segment + CRC + CR LF. `wire` (2025): the segment as it travels, encrypted; its CRC is the plain one's. */
export function encodeFrame(segment: Uint8Array, crc: CrcVariant = 'standard', wire = segment): Buffer {
  if (wire.length > MOST_BYTES)
    throw new RangeError(`a data segment of ${wire.length} bytes; at most ${MOST_BYTES} can be stated`);
  const header = `##${String(wire.length).padStart(4, '0')}`;
  return Buffer.concat([Buffer.from(header), wire, Buffer.from(`${crcText(CRC[crc](segment))}\r\n`)]);
}
