/**
 * What the routing core counts, as plain numbers on the hot path; metrics and health read them when asked.
 * Bounded: named reasons are few, and only the latest texts are kept.
 */
export interface Fault {
  detector: string;
  /** Datastream or device. */
  about: string;
  message: string;
}

const KEPT = 50;

export class Tally {
  /** Handed on to the watches. */
  observed = 0;
  /** Same datastream and time again: skipped. */
  repeats = 0;
  /** Older than what the watches have seen: skipped. */
  outOfOrder = 0;
  /** Of a device or a datastream that the registry does not know: skipped. */
  undeclared = 0;
  ticks = 0;
  /** By `detector kind state`. */
  readonly findings = new Map<string, number>();
  /** By `detector reason`. */
  readonly notes = new Map<string, number>();
  readonly latestNotes: { detector: string; reason: string; text: string }[] = [];
  /** By detector: watches stopped since they threw. */
  readonly faults = new Map<string, number>();
  readonly latestFaults: Fault[] = [];

  note(detector: string, reason: string, text?: string): void {
    bump(this.notes, `${detector} ${reason}`);
    if (text !== undefined) keep(this.latestNotes, { detector, reason, text });
  }

  fault(fault: Fault): void {
    bump(this.faults, fault.detector);
    keep(this.latestFaults, fault);
  }
}

export function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > KEPT) list.shift();
}
