import type { QuarantineReason } from '../../contracts/index.ts';
import type { Rejected } from './codec.ts';

/**
 * What of a message was not taken, bounded: a megabyte of broken parts must not become a hundred megabytes of
 * sentences. Of each reason the first few are told, and the number of the others.
 */
export class Rejections {
  readonly #told: Rejected[] = [];
  /** By reason. */
  readonly #counts = new Map<QuarantineReason, number>();

  add(reason: QuarantineReason, detail: () => string): void {
    const count = (this.#counts.get(reason) ?? 0) + 1;
    this.#counts.set(reason, count);
    if (count <= MOST_TOLD) this.#told.push({ reason, detail: detail() });
  }

  /** In the order in which they were found. */
  list(): Rejected[] {
    const others = [...this.#counts].filter(([, count]) => count > MOST_TOLD);
    const more = others.map(([reason, count]) => ({ reason, detail: `and ${count - MOST_TOLD} more` }));
    return [...this.#told, ...more];
  }
}

const MOST_TOLD = 20;

/**
 * One payload may name so many devices that the registry does not have; each is told to whoever adopts devices, and
 * leaves an entry of its own in quarantine. The others are told together.
 */
export const MOST_STRANGERS = 20;

/** What quarantine gets: one entry a reason, which tells the first ten. */
export function oneAReason(rejected: readonly Rejected[]): Rejected[] {
  const details = new Map<QuarantineReason, string[]>();
  for (const { reason, detail } of rejected) {
    const told = details.get(reason);
    if (told === undefined) details.set(reason, [detail]);
    else if (told.length < 10) told.push(detail);
  }
  return [...details].map(([reason, told]) => ({ reason, detail: told.join('. ') }));
}
