import type { QuarantineReason } from '../contracts/index.ts';

/** What became of a message; everything it says is durable. */
export interface Receipt {
  /** `quarantined`: nothing of it was taken. A message of which a part was taken is `accepted`. */
  outcome: 'accepted' | 'duplicate' | 'quarantined';
  /** Of the first part that went to quarantine, if any did. */
  reason: QuarantineReason | null;
  /** Readings taken; 1 for a picture. */
  taken: number;
  /** Known already, with the same content. */
  duplicates: number;
  /** Entries that it left in quarantine. */
  quarantined: number;
}

export function accepted(taken: number, duplicates = 0): Receipt {
  return { outcome: 'accepted', reason: null, taken, duplicates, quarantined: 0 };
}

export function duplicate(duplicates: number): Receipt {
  return { outcome: 'duplicate', reason: null, taken: 0, duplicates, quarantined: 0 };
}
