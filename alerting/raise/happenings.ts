import { createHash } from 'node:crypto';

/**
 * Which findings are one happening: those of one fingerprint whose times touch, directly or through others between
 * them (connected components of the interval graph). It is a property of the set of findings, so that neither their
 * order nor their repetition can change it. Pure.
 */

/** A finding as a span of time; `to` is Infinity while it lasts. */
export interface Member {
  id: string;
  from: number;
  to: number;
}

/** An alert that exists and may still change. */
export interface Standing {
  id: string;
  /** The finding that its id is made of. */
  founder: string;
  /** Order in which alerts were raised: where two become one, the older one stays. */
  seq: number;
  /** A person has decided its draft case: it stays, whatever it is joined with. */
  decided: boolean;
}

export interface Happening {
  id: string;
  founder: string;
  /** By start, then id. Never empty. */
  members: readonly [Member, ...Member[]];
}

export interface Arrangement {
  happenings: Happening[];
  /** Alerts that turned out to be part of another one. */
  merged: { id: string; into: string }[];
}

export function alertId(founder: string): string {
  return `a_${createHash('sha256').update(founder).digest('hex').slice(0, 24)}`;
}

/**
 * Arranges the findings of one fingerprint into happenings, keeping the ids of standing alerts wherever their founder is.
 * @param gapMs how far apart two findings may be and still touch
 */
export function arrange(
  members: readonly Member[],
  standing: readonly Standing[],
  gapMs: number,
): Arrangement {
  const holders = new Map(standing.map((alert) => [alert.founder, alert]));
  const merged: Arrangement['merged'] = [];
  const happenings = components(members, gapMs).map((group) => {
    const [kept, ...others] = group
      .flatMap(({ id }) => holders.get(id) ?? [])
      .sort((a, b) => Number(b.decided) - Number(a.decided) || a.seq - b.seq);
    const founder = kept?.founder ?? group[0].id;
    const id = kept?.id ?? alertId(founder);
    merged.push(...others.map((other) => ({ id: other.id, into: id })));
    return { id, founder, members: group };
  });
  return { happenings, merged };
}

function components(members: readonly Member[], gapMs: number): [Member, ...Member[]][] {
  const groups: [Member, ...Member[]][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const member of [...members].sort(byStart)) {
    const current = groups.at(-1);
    if (current !== undefined && member.from <= end + gapMs) {
      current.push(member);
      end = Math.max(end, member.to);
    } else {
      groups.push([member]);
      end = member.to;
    }
  }
  return groups;
}

function byStart(a: Member, b: Member): number {
  return a.from - b.from || (a.id < b.id ? -1 : 1);
}
