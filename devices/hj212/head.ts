import { SegmentFault } from './fault.ts';
import { nameAndValue, type Piece, pieces, type WireText, wireText } from './text.ts';

/**
 * What stands before (and, with some makers, behind) `CP=&&…&&`. Parsed as a map: makers differ in order, and leave out what
 * their edition did not have. It can be read of an encrypted segment too, since only the inside of CP is.
 */
export type Edition = 2005 | 2017 | 2025;

export interface Hj212Head {
  edition: Edition;
  qn: string | null;
  st: string | null;
  cn: string | null;
  /** Clear text on the wire: it proves nothing. */
  pw: string | null;
  mn: string | null;
  flag: number | null;
  /** Bit 0 of Flag: the sender waits for a reply. */
  wantsReply: boolean;
  packet: { total: number; index: number } | null;
  /** 2025: the record is sent again (补传). */
  resent: boolean;
}

/** Where the inside of `CP=&&…&&` lies in the segment, in bytes. */
export interface CpRange {
  from: number;
  to: number;
}

const CP = /(?:^|;)[ \t]*CP[ \t]*=[ \t]*&&/i;

/**
 * `CP=&&` up to the LAST `&&`: a text, or cipher text, inside may hold `&&` itself.
 * @throws SegmentFault `no-cp`
 */
export function cpRange(latin1: string): CpRange {
  const open = CP.exec(latin1);
  if (open === null) throw new SegmentFault('no-cp', 'there is no CP=&&…&&', latin1.length);
  const from = open.index + open[0].length;
  const to = latin1.lastIndexOf('&&');
  if (to < from) throw new SegmentFault('no-cp', 'CP=&& has no closing &&', latin1.length);
  return { from, to };
}

/** @throws SegmentFault of the first thing that is wrong. */
export function parseHead(bytes: Uint8Array): Hj212Head {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { from, to } = cpRange(buffer.toString('latin1'));
  // The inside may be cipher text, which is no text in any encoding.
  const blank = Buffer.from(buffer).fill(0x20, from, to);
  return headOf(wireText(blank), { from, to }, { flag: null, dataTime: null });
}

/** What the inside of CP says of the frame: its time, and a Flag that some makers write there instead of outside. */
export interface InsideHints {
  flag: string | null;
  dataTime: string | null;
}

export function headOf(wire: WireText, cp: CpRange, inside: InsideHints): Hj212Head {
  const fields = readFields(wire, cp);
  const flag = readFlag(fields, inside.flag);
  const text = (name: string) => fields.get(name)?.value || null;
  return {
    edition: editionOf(flag, text('ST'), text('QN') ?? inside.dataTime),
    qn: text('QN'),
    st: text('ST'),
    cn: text('CN'),
    pw: text('PW'),
    mn: text('MN'),
    flag,
    wantsReply: flag !== null && (flag & 1) === 1,
    packet: readPacket(fields, flag),
    resent: text('RF') === '1',
  };
}

type Fields = Map<string, { value: string; at: number }>;

function readFields(wire: WireText, cp: CpRange): Fields {
  const { latin1 } = wire;
  const before: Piece = { text: latin1.slice(0, latin1.slice(0, cp.from).search(CP)), at: 0 };
  const behind: Piece = { text: latin1.slice(cp.to + 2), at: cp.to + 2 };
  const fields: Fields = new Map();
  for (const piece of [...pieces(before, ';'), ...pieces(behind, ';')]) {
    // Names are capitals in every edition, "Flag" aside, and some makers spell them otherwise.
    const { name, value, at } = nameAndValue(piece, wire);
    const known = fields.get(name.toUpperCase());
    if (known !== undefined && value === '') continue;
    if (known !== undefined && known.value !== '' && known.value !== value)
      throw new SegmentFault('field', `${name} stands twice: ${known.value} and ${value}`, at);
    fields.set(name.toUpperCase(), { value, at });
  }
  return fields;
}

function readFlag(fields: Fields, spare: string | null): number | null {
  const found = fields.get('FLAG');
  if (found === undefined || found.value === '')
    return spare !== null && /^\d{1,2}$/.test(spare) && Number(spare) < 12 ? Number(spare) : null;
  const { value, at } = found;
  if (!/^\d{1,3}$/.test(value) || Number(value) > 255)
    throw new SegmentFault('flag', `Flag is ${JSON.stringify(value)}, not 0 to 255`, at);
  const version = Number(value) >> 2;
  if (version > 2) {
    const message = `Flag ${value} names protocol version ${version}; 0, 1 and 2 are known`;
    throw new SegmentFault('flag', message, at);
  }
  return Number(value);
}

/**
 * Flag bits 7–2 hold the version. Trap: stations for surface water (ST=21) used version 2 years before HJ 212-2025, so
 * there the time of the message decides.
 */
function editionOf(flag: number | null, st: string | null, sent: string | null): Edition {
  const version = (flag ?? 0) >> 2;
  if (version === 0) return 2005;
  if (version === 1) return 2017;
  return st === '21' && sent !== null && sent.slice(0, 4) < '2026' ? 2017 : 2025;
}

/** Bit 1 of Flag says that PNUM and PNO are there; some makers send them without the bit, or as PNO=0002. */
function readPacket(fields: Fields, flag: number | null): { total: number; index: number } | null {
  const total = wholeNumber(fields, 'PNUM');
  const index = wholeNumber(fields, 'PNO');
  if (total === null || index === null) {
    if (flag !== null && (flag & 2) === 2 && flag >> 2 > 0 && (total === null) !== (index === null)) {
      const lone = fields.get(total === null ? 'PNO' : 'PNUM');
      throw new SegmentFault('packet', 'one of PNUM and PNO is missing', lone?.at ?? 0);
    }
    return null;
  }
  if (total === 0 && index === 0) return null;
  if (index < 1 || index > total)
    throw new SegmentFault('packet', `PNO=${index} of PNUM=${total}`, fields.get('PNO')?.at ?? 0);
  return { total, index };
}

function wholeNumber(fields: Fields, name: string): number | null {
  const found = fields.get(name);
  if (found === undefined || found.value === '') return null;
  if (!/^\d{1,8}$/.test(found.value) || Number(found.value) > 9_999) {
    const message = `${name} is ${JSON.stringify(found.value)}, not a whole number up to 9999`;
    throw new SegmentFault('packet', message, found.at);
  }
  return Number(found.value);
}
