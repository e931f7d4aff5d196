/**
 * Takes the data segment of a frame apart: `QN=..;ST=..;CN=..;PW=..;MN=..;Flag=..;[PNUM=..;PNO=..;][RF=1;]CP=&&...&&`.
 * Parsed as a map: makers differ in order, and leave out what their edition did not have. Texts of numbers are kept.
 */

export type Edition = 2005 | 2017 | 2025;

export interface Hj212Item {
  /** Factor code (`a21026`), or the name of a field that has no code (`RtdInterval`). */
  code: string;
  /** `Rtd`, `Avg`, `ZsRtd` …; null for a field without a code. */
  field: string | null;
  /** As it was sent. */
  value: string;
  /** The factor's data flag (N F M S D C T B …); null = not sent, which is "unknown" and never N. */
  flag: string | null;
}

export interface Hj212Segment {
  edition: Edition;
  qn: string | null;
  st: string | null;
  cn: string | null;
  pw: string | null;
  mn: string | null;
  flag: number | null;
  /** Bit 0 of Flag: the sender waits for a reply. */
  wantsReply: boolean;
  packet: { total: number; index: number } | null;
  /** 2025: the record is sent again (补传). */
  resent: boolean;
  dataTime: string | null;
  items: Hj212Item[];
}

/** Why a data segment cannot be used. */
export type SegmentError = 'encoding' | 'no-cp' | 'field' | 'flag' | 'packet' | 'data-time';

export class SegmentFault extends Error {
  readonly code: SegmentError;
  /** Byte position in the data segment. */
  readonly at: number;

  constructor(code: SegmentError, message: string, at: number) {
    super(message);
    this.code = code;
    this.at = at;
  }
}

/** @throws SegmentFault with the code and position of the first thing that is wrong. */
export function parseSegment(bytes: Uint8Array): Hj212Segment {
  const text = decodeText(bytes);
  const { head, cp, cpAt } = splitCp(text);
  const fields = parseHead(head);
  const flag = parseFlag(fields);
  const { dataTime, items } = parseCp(cp, cpAt);
  return {
    edition: editionOf(flag, fields, dataTime),
    qn: fields.get('QN')?.value ?? null,
    st: fields.get('ST')?.value ?? null,
    cn: fields.get('CN')?.value ?? null,
    pw: fields.get('PW')?.value ?? null,
    mn: fields.get('MN')?.value ?? null,
    flag,
    wantsReply: flag !== null && (flag & 1) === 1,
    packet: parsePacket(fields, flag),
    resent: fields.get('RF')?.value === '1',
    dataTime,
    items,
  };
}

type Fields = Map<string, { value: string; at: number }>;

/** 2017: ASCII, Chinese characters in UTF-8; older devices send them in GB 18030. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8.
  }
  try {
    return new TextDecoder('gb18030', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw Object.assign(
      new SegmentFault('encoding', 'neither UTF-8 nor GB 18030 text (encrypted, perhaps)', 0),
      { cause },
    );
  }
}

function splitCp(text: string): { head: string; cp: string; cpAt: number } {
  const at = text.indexOf('CP=&&');
  if (at < 0) throw new SegmentFault('no-cp', 'there is no CP=&&…&&', text.length);
  const begin = at + 5;
  const end = text.indexOf('&&', begin);
  if (end < 0) throw new SegmentFault('no-cp', 'CP=&& has no closing &&', text.length);
  return { head: text.slice(0, at), cp: text.slice(begin, end), cpAt: begin };
}

function parseHead(head: string): Fields {
  const fields: Fields = new Map();
  for (const { text, at } of pieces(head, ';', 0)) {
    const equals = text.indexOf('=');
    if (equals < 1) throw new SegmentFault('field', `${JSON.stringify(text)} is not NAME=VALUE`, at);
    const name = text.slice(0, equals).trim();
    // "Flag" is spelt FLAG by some makers; the others are capitals in every edition.
    fields.set(name.toUpperCase() === 'FLAG' ? 'Flag' : name.toUpperCase(), {
      value: text.slice(equals + 1).trim(),
      at,
    });
  }
  return fields;
}

function parseFlag(fields: Fields): number | null {
  const found = fields.get('Flag');
  if (found === undefined || found.value === '') return null;
  if (!/^\d{1,3}$/.test(found.value) || Number(found.value) > 255) {
    throw new SegmentFault('flag', `Flag is ${JSON.stringify(found.value)}, not 0 to 255`, found.at);
  }
  if (Number(found.value) >> 2 > 2) {
    throw new SegmentFault(
      'flag',
      `Flag ${found.value} names protocol version ${Number(found.value) >> 2}; 0, 1 and 2 are known`,
      found.at,
    );
  }
  return Number(found.value);
}

/**
 * Flag bits 7–2 hold the version. Trap: stations for surface water (ST=21) used version 2 years before HJ 212-2025, so
 * there the time of the message decides.
 */
function editionOf(flag: number | null, fields: Fields, dataTime: string | null): Edition {
  const version = (flag ?? 0) >> 2;
  if (version === 0) return 2005;
  if (version === 1) return 2017;
  const sent = fields.get('QN')?.value ?? dataTime ?? '';
  return fields.get('ST')?.value === '21' && sent !== '' && sent.slice(0, 4) < '2026' ? 2017 : 2025;
}

/** Bit 1 of Flag says that PNUM and PNO are there; some makers send them without the bit, or as PNO=0002. */
function parsePacket(fields: Fields, flag: number | null): { total: number; index: number } | null {
  const total = wholeNumber(fields, 'PNUM');
  const index = wholeNumber(fields, 'PNO');
  if (total === null || index === null) {
    if (flag !== null && (flag & 2) === 2 && flag >> 2 > 0 && (total === null) !== (index === null)) {
      throw new SegmentFault('packet', 'one of PNUM and PNO is missing', 0);
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
  if (!/^\d{1,4}$/.test(found.value)) {
    throw new SegmentFault(
      'packet',
      `${name} is ${JSON.stringify(found.value)}, not a number of 1 to 4 digits`,
      found.at,
    );
  }
  return Number(found.value);
}

function parseCp(cp: string, cpAt: number): { dataTime: string | null; items: Hj212Item[] } {
  const items: Hj212Item[] = [];
  let dataTime: string | null = null;
  for (const group of pieces(cp, ';', cpAt)) {
    const flags = new Map<string, string>();
    const values: Omit<Hj212Item, 'flag'>[] = [];
    for (const { text, at } of pieces(group.text, ',', group.at)) {
      const equals = text.indexOf('=');
      if (equals < 1) throw new SegmentFault('field', `${JSON.stringify(text)} is not NAME=VALUE`, at);
      const name = text.slice(0, equals).trim();
      const value = text.slice(equals + 1).trim();
      const dash = name.indexOf('-');
      const [code, field] = dash < 0 ? [name, null] : [name.slice(0, dash), name.slice(dash + 1)];
      if (name === 'DataTime') dataTime = checkedTime(value, at);
      else if (field === 'Flag') flags.set(code, value);
      else values.push({ code, field, value });
    }
    for (const value of values) items.push({ ...value, flag: flags.get(value.code) ?? null });
  }
  return { dataTime, items };
}

/** `YYYYMMDDhhmmss`, Beijing time, which is kept as it is. */
function checkedTime(value: string, at: number): string {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(value);
  const time = match
    ? new Date(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`)
    : null;
  const exists = time !== null && !Number.isNaN(time.getTime()) && time.getUTCDate() === Number(match?.[3]);
  if (!exists)
    throw new SegmentFault(
      'data-time',
      `DataTime is ${JSON.stringify(value)}, not a time YYYYMMDDhhmmss`,
      at,
    );
  return value;
}

/** The non-empty pieces of a text between separators, each with its position. */
function* pieces(text: string, separator: string, offset: number): Generator<{ text: string; at: number }> {
  let begin = 0;
  while (begin <= text.length) {
    const found = text.indexOf(separator, begin);
    const end = found < 0 ? text.length : found;
    const piece = text.slice(begin, end);
    if (piece.trim() !== '') yield { text: piece, at: offset + begin };
    begin = end + 1;
  }
}
