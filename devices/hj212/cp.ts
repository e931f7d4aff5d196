import { SegmentFault } from './fault.ts';
import { nameAndValue, type Piece, pieces, type WireText } from './text.ts';

/**
 * The inside of `CP=&&…&&`: `;` between items, `,` between the values of one, `=` between field and value. Texts of numbers
 * are kept. A frame may hold several DataTime (back-filled records): what follows one belongs to it, up to the next.
 */
export interface Hj212Item {
  /** Factor code (`a21026`), or the name of a field that has no code (`RtdInterval`). */
  code: string;
  /** `Rtd`, `Avg`, `ZsRtd` …; null for a field without a code. */
  field: string | null;
  /** As it was sent. */
  value: string;
  /** The factor's data flag (N F M S D C T B …); null = not sent, which is "unknown" and never N. */
  flag: string | null;
  /** Its own DataTime, where it is not the frame's first. */
  dataTime?: string;
}

export interface CpContent {
  /** The first; `YYYYMMDDhhmmss` or `YYYYMMDDhhmmsszzz` as it was sent, Beijing time. */
  dataTime: string | null;
  items: Hj212Item[];
}

/** Items under one DataTime, with what flags were said there. */
interface Epoch {
  dataTime: string | null;
  items: Hj212Item[];
  /** Flag by code, for values whose own group has none (some makers write `a34001-Rtd=9;a34001-Flag=N`). */
  flags: Map<string, string>;
}

/** @throws SegmentFault `field` or `data-time` */
export function parseCp(wire: WireText, cp: Piece): CpContent {
  const epochs: Epoch[] = [{ dataTime: null, items: [], flags: new Map() }];
  const mask = withoutLogs(cp.text);
  for (const group of pieces(cp, ';', mask)) readGroup(group, wire, epochs, mask, cp.at);
  const first = epochs.find((epoch) => epoch.dataTime !== null)?.dataTime ?? null;
  return { dataTime: first, items: epochs.flatMap((epoch) => finished(epoch, first)) };
}

function readGroup(group: Piece, wire: WireText, epochs: Epoch[], mask: string, at: number): void {
  const groupMask = mask.slice(group.at - at, group.at - at + group.text.length);
  let mates = new Mates();
  for (const piece of pieces(group, ',', groupMask)) {
    const { name, value, at: where } = nameAndValue(piece, wire);
    const dash = name.indexOf('-');
    const [code, field] = dash < 0 ? [name, null] : [name.slice(0, dash), name.slice(dash + 1)];
    if (name === 'DataTime') {
      // With commas all through, one group holds everything: what stands before a DataTime is not of it.
      mates.settle();
      mates = new Mates();
      epochs.push({ dataTime: checkedTime(value, where), items: [], flags: new Map() });
    } else if (field === 'Flag') {
      mates.flags.set(code, value);
      epochs.at(-1)?.flags.set(code, value);
    } else {
      const item: Hj212Item = { code, field, value, flag: null };
      mates.items.push(item);
      epochs.at(-1)?.items.push(item);
    }
  }
  mates.settle();
}

/** Values and flags that stand in one group under one DataTime. */
class Mates {
  readonly items: Hj212Item[] = [];
  /** Flag by code. */
  readonly flags = new Map<string, string>();

  settle(): void {
    for (const item of this.items) item.flag = this.flags.get(item.code) ?? null;
  }
}

/** What stood before the first DataTime is of the first: it has no other. */
function finished({ dataTime, items, flags }: Epoch, first: string | null): Hj212Item[] {
  for (const item of items) {
    item.flag ??= flags.get(item.code) ?? null;
    if (dataTime !== null && dataTime !== first) item.dataTime = dataTime;
  }
  return items;
}

/** Logs stand between `//` (2017 Appendix B, i11001) and may hold any sign: their inside is no structure. */
function withoutLogs(text: string): string {
  const end = /\/\/(?=[;,]|$)/g;
  let masked = '';
  let done = 0;
  for (let at = text.indexOf('=//'); at >= 0; at = text.indexOf('=//', done)) {
    end.lastIndex = at + 3;
    if (end.exec(text) === null) break;
    masked += text.slice(done, at + 1) + '/'.repeat(end.lastIndex - at - 1);
    done = end.lastIndex;
  }
  return masked + text.slice(done);
}

/** `YYYYMMDDhhmmss`, Beijing time; some makers append milliseconds. Kept as it is. */
function checkedTime(value: string, at: number): string {
  if (timeOf(value) === null) {
    const message = `DataTime is ${JSON.stringify(value)}, not a time YYYYMMDDhhmmss`;
    throw new SegmentFault('data-time', message, at);
  }
  return value;
}

/** Epoch ms of a DataTime or QN as if it were UTC; null when there is no such time. */
export function timeOf(text: string): number | null {
  if (!/^\d{14}(?:\d{3})?$/.test(text)) return null;
  const at = (from: number, to: number) => Number(text.slice(from, to));
  const [year, month, day, hour, minute, second] = [
    at(0, 4),
    at(4, 6),
    at(6, 8),
    at(8, 10),
    at(10, 12),
    at(12, 14),
  ];
  if (year < 1900 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return null;
  const time = Date.UTC(year, month - 1, day, hour, minute, second, at(14, 17));
  // 30 February becomes a day in March.
  return new Date(time).getUTCDate() === day ? time : null;
}
