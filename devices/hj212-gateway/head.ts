/**
 * The head of a data segment, read without judging it: for answering a frame, which the codec reads in full and judges.
 * Never throws; also reads frames whose checksum is wrong or whose CP is encrypted.
 */
export interface FrameHead {
  qn: string | null;
  st: string | null;
  cn: string | null;
  pw: string | null;
  /** Only when it can stand in a topic. */
  mn: string | null;
  /** 0 to 255; null: none, as in 2005. */
  flag: number | null;
}

const CP = /(?:^|;)\s*CP\s*=\s*&&/i;
const FLAG_INSIDE = /[;,&]Flag=(\d{1,2})(?=[;,&])/;
/** Without CP, no head is longer by far. */
const MOST_BYTES = 512;
/** What is echoed, or stands in a topic, is short and plain. */
const PLAIN = /^[\x21-\x7e]{1,64}$/;
const MN = /^[^\s/+#\0]{1,64}$/;

export function readHead(segment: Buffer): FrameHead {
  const text = segment.toString('latin1');
  const cp = CP.exec(text);
  const close = text.lastIndexOf('&&');
  const fields = new Map<string, string>();
  readFields(cp === null ? text.slice(0, MOST_BYTES) : text.slice(0, cp.index), fields);
  // Some makers write fields behind CP, or Flag inside.
  if (cp !== null && close > cp.index) readFields(text.slice(close + 2), fields);
  const plain = (name: string) => {
    const value = fields.get(name);
    return value !== undefined && PLAIN.test(value) ? value : null;
  };
  const mn = plain('MN');
  return {
    qn: plain('QN'),
    st: plain('ST'),
    cn: plain('CN'),
    pw: plain('PW'),
    mn: mn !== null && MN.test(mn) ? mn : null,
    flag: flagOf(fields.get('FLAG')) ?? flagOf(cp === null ? undefined : FLAG_INSIDE.exec(text)?.[1]),
  };
}

function readFields(text: string, into: Map<string, string>): void {
  for (const piece of text.split(';')) {
    const equals = piece.indexOf('=');
    if (equals > 0) into.set(piece.slice(0, equals).trim().toUpperCase(), piece.slice(equals + 1).trim());
  }
}

function flagOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,3}$/.test(text)) return null;
  const flag = Number(text);
  return flag > 255 ? null : flag;
}
