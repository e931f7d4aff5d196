import { type CpContent, type Hj212Item, parseCp, timeOf } from './cp.ts';
import { SegmentFault } from './fault.ts';
import { cpRange, type Hj212Head } from './head.ts';
import { joinTexts, type Part, runOf, tailIsOpen } from './packet-text.ts';
import { pieces, wireText } from './text.ts';

/**
 * Sub-packages (PNUM, PNO; 2017 tables C.49, C.50): a message that is longer than a frame may be comes in several, each a
 * frame of its own, perhaps each with a QN of its own. They are joined by MN, ST, CN, PNUM and DataTime.
 *
 * Promises: what a packet holds is given with it at once, as far as the packet itself, or those before it, say of which time
 * it is; so each can be acknowledged by itself. A group at a packet's border that may go on in the next is held back until
 * that is there: a value cut in two never becomes two wrong numbers. A packet that comes again gives its values again.
 * Sets are forgotten `expiryMs` after their last packet, incomplete ones by name; memory is bounded, the oldest set goes first.
 * Does not promise to join packets of which neither QN nor time say that they belong together.
 */
export interface PacketContent extends CpContent {
  /** What waits for other packets; null: nothing. */
  waiting: string | null;
  /** What of the text cannot be read, with all that is known of the place. */
  faults: string[];
}

/** A set that will not be completed any more. */
export interface IncompleteSet {
  mn: string;
  detail: string;
}

interface PacketSet {
  mn: string;
  name: string;
  total: number;
  dataTime: string | null;
  /** By packet number. */
  parts: Map<number, Part>;
  /** QN of the packets, where they have one. */
  qns: Set<string>;
  /** Epoch ms of the last packet. */
  touchedAt: number;
  bytes: number;
}

export interface PacketLimits {
  expiryMs: number;
  mostSets: number;
  mostBytes: number;
}

export const PACKET_LIMITS: PacketLimits = { expiryMs: 300_000, mostSets: 2_000, mostBytes: 16_000_000 };
/** Packets without DataTime belong to a set whose QN, or whose last packet, lies at most so far from theirs. */
const NEAR_MS = 10_000;
/** More than any message: a set is read again with each of its packets. */
const MOST_SET_BYTES = 256_000;
/** Of one set: repeats may have new ones. */
const MOST_QNS = 256;
/** What a packet takes beside its text. */
const PART_BYTES = 100;
/** Incomplete sets that nobody has asked for yet. */
const MOST_REPORTS = 1_000;

export class PacketSets {
  readonly #limits: PacketLimits;
  /** Oldest arrival first. */
  readonly #sets = new Set<PacketSet>();
  /** By name. */
  readonly #byName = new Map<string, Set<PacketSet>>();
  #bytes = 0;
  /** Latest time that was told: what is run again out of quarantine tells earlier ones. */
  #now = 0;
  #incomplete: IncompleteSet[] = [];

  constructor(limits: PacketLimits = PACKET_LIMITS) {
    this.#limits = limits;
  }

  /** `segment`: plain, with `head.packet` in it. @throws SegmentFault when it has no CP */
  arrive(
    head: Hj212Head & { packet: { total: number; index: number } },
    segment: Buffer,
    now: number,
  ): PacketContent {
    const latin1 = segment.toString('latin1');
    const { from, to } = cpRange(latin1);
    this.#now = Math.max(this.#now, now);
    const part: Part = { text: latin1.slice(from, to), given: false };
    const set = this.#setFor(head, part, this.#now);
    this.#put(set, head.packet.index, part, this.#now);
    if (head.qn !== null && set.qns.size < MOST_QNS) set.qns.add(head.qn);
    set.dataTime ??= timeAtStart(part.text);
    const content = contentOf(set, head.packet.index);
    this.#bound();
    return content;
  }

  /** The sets that expired since the last call, or had to go for want of room; of one sender, or of all. */
  expire(now: number, mn?: string): IncompleteSet[] {
    for (const set of this.#sets) {
      if (now - set.touchedAt < this.#limits.expiryMs) break;
      this.#drop(set);
    }
    const due = this.#incomplete.filter((one) => mn === undefined || one.mn === mn);
    if (due.length > 0) this.#incomplete = this.#incomplete.filter((one) => !due.includes(one));
    return due;
  }

  #setFor(
    head: Hj212Head & { packet: { total: number; index: number } },
    part: Part,
    now: number,
  ): PacketSet {
    const name = [head.mn, head.st, head.cn, head.packet.total].join('|');
    const dataTime = timeAtStart(part.text);
    const candidates = [...(this.#byName.get(name) ?? [])].reverse().filter((set) => hasRoom(set, part));
    const found =
      candidates.find((set) => dataTime !== null && set.dataTime === dataTime) ??
      candidates.find((set) => takesUp(set, head, part, dataTime, now));
    if (found !== undefined) return found;
    const { total } = head.packet;
    const fresh = {
      mn: head.mn ?? '',
      name,
      total,
      dataTime,
      parts: new Map(),
      qns: new Set<string>(),
      touchedAt: now,
      bytes: 0,
    };
    return fresh;
  }

  #put(set: PacketSet, index: number, part: Part, now: number): void {
    const bytes = sizeOf(part) - sizeOf(set.parts.get(index));
    set.parts.set(index, part);
    set.bytes += bytes;
    set.touchedAt = now;
    this.#bytes += bytes;
    this.#sets.delete(set);
    this.#sets.add(set);
    const namesakes = this.#byName.get(set.name) ?? new Set();
    this.#byName.set(set.name, namesakes.add(set));
  }

  #bound(): void {
    for (const set of this.#sets) {
      if (this.#sets.size <= this.#limits.mostSets && this.#bytes <= this.#limits.mostBytes) return;
      this.#drop(set);
    }
  }

  #drop(set: PacketSet): void {
    this.#sets.delete(set);
    this.#bytes -= set.bytes;
    const namesakes = this.#byName.get(set.name);
    namesakes?.delete(set);
    if (namesakes?.size === 0) this.#byName.delete(set.name);
    if (set.parts.size >= set.total && [...set.parts.values()].every((part) => part.given)) return;
    this.#incomplete.push({ mn: set.mn, detail: describe(set) });
    if (this.#incomplete.length > MOST_REPORTS) this.#incomplete.shift();
  }
}

function hasRoom(set: PacketSet, part: Part): boolean {
  return set.bytes + sizeOf(part) <= MOST_SET_BYTES;
}

function sizeOf(part: Part | undefined): number {
  return part === undefined ? 0 : part.text.length + PART_BYTES;
}

/**
 * Whether a set may take up a packet that does not begin with its time: QN or arrival must lie near. One that begins with
 * another time (a message of several) is of the set only when QN says so.
 */
function takesUp(set: PacketSet, head: Hj212Head, part: Part, dataTime: string | null, now: number): boolean {
  const there = set.parts.get(head.packet?.index ?? 0);
  if (there !== undefined && there.text !== part.text) return false;
  if (head.qn !== null && set.qns.has(head.qn)) return true;
  if (dataTime !== null && set.dataTime !== null) return false;
  if (head.qn === null || set.qns.size === 0) return now - set.touchedAt <= NEAR_MS;
  const mine = timeOf(head.qn);
  return [...set.qns].some((qn) => {
    const theirs = timeOf(qn);
    return mine !== null && theirs !== null && Math.abs(mine - theirs) <= NEAR_MS;
  });
}

function timeAtStart(text: string): string | null {
  return /^[\s;]*DataTime\s*=/.test(text) ? timeIn(text) : null;
}

function timeIn(text: string): string | null {
  const found = /(?:^|[;,])\s*DataTime\s*=\s*(\d{14}(?:\d{3})?)\s*(?=[;,]|$)/.exec(text)?.[1];
  return found !== undefined && timeOf(found) !== null ? found : null;
}

/** A group of the joined text of a run of packets. */
interface Group {
  text: string;
  from: number;
  to: number;
  isTime: boolean;
}

function contentOf(set: PacketSet, index: number): PacketContent {
  const run = runOf(set.parts, index);
  const joined = joinTexts(run.map(({ part }) => part.text));
  const groups = groupsOf(joined.text);
  const last = run.at(-1);
  const open = last !== undefined && last.index < set.total && tailIsOpen(last.part.text);
  const held = open ? groups.pop() : undefined;
  // What stands before the first time of all is of it; before one that is not the first, of a time yet unknown.
  const firstTime = groups.find((group) => group.isTime)?.from ?? Number.POSITIVE_INFINITY;
  const knownFrom = run[0]?.index === 1 && firstTime < Number.POSITIVE_INFINITY ? 0 : firstTime;
  const wanted = new Set<Group>();
  const waiting: string[] = [];
  run.forEach(({ index: number, part }, place) => {
    if (number !== index && part.given) return;
    const own = around(groups, run, joined.ranges, place);
    for (const group of own) if (group.from >= knownFrom) wanted.add(group);
    part.given = own.every((group) => wanted.has(group));
    if (number === index)
      waiting.push(...own.filter((group) => !wanted.has(group)).map((group) => group.text));
  });
  const given = read(groups.filter((group) => group.isTime || wanted.has(group)));
  return { ...given, waiting: waitingText(set, waiting, last?.index === index ? held : undefined) };
}

/** The groups that a packet of the run has part in, with what was held back at its borders. */
function around(
  groups: readonly Group[],
  run: readonly { part: Part }[],
  ranges: readonly [number, number][],
  place: number,
): Group[] {
  const [from, to] = ranges[place] ?? [0, 0];
  const before = run[place - 1]?.part;
  const reach = before !== undefined && tailIsOpen(before.text) ? from - 2 : from;
  const beyond = run[place + 1] === undefined ? to : to + 2;
  return groups.filter((group) => group.from < beyond && group.to > reach);
}

function groupsOf(text: string): Group[] {
  return [...pieces({ text, at: 0 }, ';')].map((piece) => ({
    text: piece.text,
    from: piece.at,
    to: piece.at + piece.text.length,
    isTime: timeIn(piece.text) !== null,
  }));
}

/** All at once; if that cannot be read, group by group, so that one broken group takes no other with it. */
function read(groups: readonly Group[]): CpContent & { faults: string[] } {
  try {
    return { ...parse(groups), faults: [] };
  } catch (error) {
    if (!(error instanceof SegmentFault)) throw error;
  }
  const items: Hj212Item[] = [];
  const faults: string[] = [];
  let time: Group | undefined = groups.find((group) => group.isTime);
  for (const group of groups) {
    if (group.isTime) time = group;
    try {
      const content = parse(group === time || time === undefined ? [group] : [time, group]);
      for (const item of content.items)
        items.push(
          content.dataTime === null ? item : { ...item, dataTime: item.dataTime ?? content.dataTime },
        );
    } catch (error) {
      if (!(error instanceof SegmentFault)) throw error;
      faults.push(error.message);
    }
  }
  return { dataTime: null, items, faults };
}

function parse(groups: readonly Group[]): CpContent {
  const text = groups.map((group) => group.text).join(';');
  return parseCp(wireText(Buffer.from(text, 'latin1')), { text, at: 0 });
}

function waitingText(set: PacketSet, waiting: readonly string[], held: Group | undefined): string | null {
  const reasons: string[] = [];
  if (waiting.length > 0) reasons.push(`${quoted(waiting)} is of a time that another packet tells`);
  if (held !== undefined) reasons.push(`${quoted([held.text])} may go on in the next packet`);
  if (reasons.length === 0) return null;
  return `${reasons.join('; ')}; of ${set.total} packets these are here: ${numbers(set)}`;
}

function quoted(texts: readonly string[]): string {
  return texts
    .slice(0, 5)
    .map((text) => JSON.stringify(text.slice(0, 80)))
    .join(', ');
}

function describe(set: PacketSet): string {
  const missing: number[] = [];
  for (let i = 1; i <= set.total && missing.length < 20; i += 1) if (!set.parts.has(i)) missing.push(i);
  const [mn, st, cn] = set.name.split('|');
  const what = `MN=${mn} ST=${st} CN=${cn} DataTime=${set.dataTime ?? 'unknown'}`;
  const lost =
    missing.length > 0 ? `${missing.join(', ')} never came` : 'held text that no packet made whole';
  return `packets of ${what}: of ${set.total}, ${lost}; what the others held and could be read was taken`;
}

function numbers(set: PacketSet): string {
  return [...set.parts.keys()].sort((a, b) => a - b).join(', ');
}
