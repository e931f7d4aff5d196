import { has, type Metric, toNumber } from './payload.ts';
import { statedUnit } from './value.ts';

/**
 * What is remembered of Sparkplug edge nodes between their messages: session, sequence, and what their births announced.
 *
 *            NBIRTH                       NDATA DBIRTH DDATA DDEATH
 *   unborn ─────────▶ born, seq expected ──────────────────────────▶ next seq expected, or a gap
 *     ▲                  │ NDEATH of the same bdSeq
 *     └──────────────────┘
 *
 * In memory only: after a restart every node is asked for its births once. Bounded: beyond `most` nodes or metrics, what
 * was not heard for longest is forgotten, and asked for again when it speaks.
 */
export interface Limits {
  nodes: number;
  /** Announced metrics in all. */
  metrics: number;
  metricsOfNode: number;
  /** Longer names are not remembered: no property has one. */
  nameLength: number;
  /** A node is asked for its births at most once in so long. */
  rebirthEveryMs: number;
}

export const LIMITS: Limits = {
  nodes: 100_000,
  metrics: 500_000,
  metricsOfNode: 20_000,
  nameLength: 200,
  rebirthEveryMs: 30_000,
};

/** For nodes that the registry does not have: however many they are, they push none out that it has. */
export const STRANGERS: Limits = { ...LIMITS, nodes: 10_000, metrics: 50_000 };

/** A metric as a birth announced it. */
export interface Announced {
  name: string;
  /** 0: not stated. */
  datatype: number;
  /** As its maker writes it. */
  unit: string | null;
}

/**
 * What one birth announced, of a node or of one of its devices. Aliases are looked up within the birth that made them: for
 * nodes that keep them unique, as they must, that is the same; for others it is what they mean.
 */
export interface Birth {
  /** By name. */
  metrics: ReadonlyMap<string, Announced>;
  /** By alias; one that two metrics of the birth have means neither. */
  aliases: ReadonlyMap<number, Announced>;
}

export interface EdgeNode {
  /** An NBIRTH was heard, and no NDEATH of its session since. */
  born: boolean;
  /** Of the session; null: none was stated. */
  bdSeq: number | null;
  /** Sequence number that comes next; null: any may. */
  nextSeq: number | null;
  /** By device name, '' for the node itself. */
  births: Map<string, Birth>;
  /** Epoch ms; null: never. */
  rebirthAskedAt: number | null;
}

export class EdgeNodes {
  readonly #limits: Limits;
  /** By whoever names the node, in order of last use. */
  readonly #nodes = new Map<string, EdgeNode>();
  #metrics = 0;

  constructor(limits: Limits = LIMITS) {
    this.#limits = limits;
  }

  get size(): { nodes: number; metrics: number } {
    return { nodes: this.#nodes.size, metrics: this.#metrics };
  }

  /** For reading only. */
  peek(key: string): EdgeNode | undefined {
    return this.#nodes.get(key);
  }

  /** The node, made when it is not known; it is now the last that was heard. */
  heard(key: string): EdgeNode {
    const known = this.#nodes.get(key);
    const node = known ?? unborn();
    if (known !== undefined) this.#nodes.delete(key);
    this.#nodes.set(key, node);
    this.#makeRoom();
    return node;
  }

  /** A new session: nothing that was announced before holds. */
  beginSession(node: EdgeNode, bdSeq: number | null, seq: number | null): void {
    this.#forgetBirths(node);
    node.born = true;
    node.bdSeq = bdSeq;
    node.nextSeq = seq === null ? null : after(seq);
  }

  endSession(node: EdgeNode): void {
    this.#forgetBirths(node);
    node.born = false;
    node.bdSeq = null;
    node.nextSeq = null;
  }

  announce(node: EdgeNode, device: string, metrics: readonly Metric[]): Birth {
    this.forgetBirth(node, device);
    let room = this.#limits.metricsOfNode;
    // A device counts as one, too: empty births must not be for nothing.
    for (const birth of node.births.values()) room -= birth.metrics.size + 1;
    const birth = birthOf(metrics, this.#limits.nameLength, room);
    if (room <= 0) return birth;
    node.births.set(device, birth);
    this.#metrics += birth.metrics.size + 1;
    this.#makeRoom();
    return birth;
  }

  forgetBirth(node: EdgeNode, device: string): void {
    const birth = node.births.get(device);
    if (birth === undefined) return;
    node.births.delete(device);
    this.#metrics -= birth.metrics.size + 1;
  }

  /** Whether a node may be asked for its births now; then it counts as asked. */
  mayAskRebirth(node: EdgeNode, now: number): boolean {
    const askedAt = node.rebirthAskedAt;
    const soon = askedAt !== null && now >= askedAt && now - askedAt < this.#limits.rebirthEveryMs;
    if (!soon) node.rebirthAskedAt = now;
    return !soon;
  }

  #forgetBirths(node: EdgeNode): void {
    for (const device of [...node.births.keys()]) this.forgetBirth(node, device);
  }

  /** The last one heard stays. */
  #makeRoom(): void {
    for (const [key, node] of this.#nodes) {
      const { nodes, metrics } = this.#limits;
      const enough = this.#nodes.size <= nodes && this.#metrics <= metrics;
      if (enough || this.#nodes.size === 1) return;
      this.#forgetBirths(node);
      this.#nodes.delete(key);
    }
  }
}

/** Why a node has to be asked for its births. */
export type Gap = 'no-birth' | 'gap';

/** Takes note of a sequence number (section 6.4.3); a message that comes again moves nothing. */
export function follow(node: EdgeNode, seq: number | null): Gap | null {
  if (!node.born) return 'no-birth';
  if (seq === null) return null;
  const expected = node.nextSeq;
  if (expected !== null && after(seq) === expected) return null;
  node.nextSeq = after(seq);
  return expected === null || seq === expected ? null : 'gap';
}

/** 255 is followed by 0; what is no sequence number, by any. */
function after(seq: number): number | null {
  return seq >= 0 && seq <= 255 ? (seq + 1) % 256 : null;
}

/** Number of the session, from a birth or a death. */
export function bdSeqOf(metrics: readonly Metric[]): number | null {
  const metric = metrics.find(({ name }) => name === 'bdSeq');
  if (metric === undefined) return null;
  const { longValue, intValue } = metric;
  if (has(metric, 'longValue') && longValue != null) return toNumber(longValue);
  return has(metric, 'intValue') && intValue != null ? intValue : null;
}

/** Null: the metric has none. Above 2^53 two could look alike: such a one is as good as none. */
export function aliasOf(metric: Metric): number | null {
  const alias = has(metric, 'alias') && metric.alias != null ? toNumber(metric.alias) : Number.NaN;
  return Number.isSafeInteger(alias) ? alias : null;
}

function unborn(): EdgeNode {
  return { born: false, bdSeq: null, nextSeq: null, births: new Map(), rebirthAskedAt: null };
}

export function birthOf(metrics: readonly Metric[], nameLength: number, room: number): Birth {
  const byName = new Map<string, Announced>();
  const aliases = new Map<number, Announced>();
  const twice = new Set<number>();
  for (const metric of metrics) {
    const { name } = metric;
    if (byName.size >= room) break;
    if (name == null || name === '' || name.length > nameLength) continue;
    const announced = {
      name,
      datatype: metric.datatype ?? 0,
      unit: statedUnit(metric)?.slice(0, 32) ?? null,
    };
    byName.set(name, announced);
    const alias = aliasOf(metric);
    if (alias === null) continue;
    const other = aliases.get(alias);
    if (other !== undefined && other.name !== name) twice.add(alias);
    aliases.set(alias, announced);
  }
  for (const alias of twice) aliases.delete(alias);
  return { metrics: byName, aliases };
}
