import type { QuarantineReason } from '../contracts/index.ts';
import type { Outgoing } from '../devices/message.ts';

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
  /** For the entrance to send back to the device. */
  send?: Outgoing[];
}

export function accepted(taken: number, duplicates = 0): Receipt {
  return { outcome: 'accepted', reason: null, taken, duplicates, quarantined: 0 };
}

export function duplicate(duplicates: number): Receipt {
  return { outcome: 'duplicate', reason: null, taken: 0, duplicates, quarantined: 0 };
}

export function refused(reason: QuarantineReason): Receipt {
  return { outcome: 'quarantined', reason, taken: 0, duplicates: 0, quarantined: 1 };
}

/** Of the parts of one message. */
export function joined(parts: readonly Receipt[]): Receipt {
  if (parts.length === 0) return accepted(0);
  const sum = (field: 'taken' | 'duplicates' | 'quarantined') =>
    parts.reduce((total, part) => total + part[field], 0);
  const outcomes = parts.map((part) => part.outcome);
  const outcome = (['accepted', 'duplicate'] as const).find((one) => outcomes.includes(one)) ?? 'quarantined';
  const reason = parts.find((part) => part.reason !== null)?.reason ?? null;
  const counted = { taken: sum('taken'), duplicates: sum('duplicates'), quarantined: sum('quarantined') };
  return { outcome, reason, ...counted };
}
