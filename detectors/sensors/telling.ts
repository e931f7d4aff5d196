import { datastreamId, type Finding } from '../../contracts/index.ts';
import type { Said, Say } from './detector.ts';
import type { Attached } from './entries.ts';
import { closeAll, type OpenFindings, type Speaker, type Trigger, tell } from './ledger.ts';
import { bump, type Tally } from './tally.ts';

/**
 * Lets watches speak, and passes on what they say.
 *
 *   run(watch, call) ─▶ the watch ─says─▶ ledger.ts ─finding─▶ emit
 *                          └─throws─▶ it is stopped and named; all others go on
 *
 * Promises: words are ascribed to the watch that runs and to the occasion last stated; every finding that goes out is
 * counted; what a watch that is taken away had open is ended. One watch runs at a time. Allocates nothing for a watch that
 * keeps silent: it stands on the hot path.
 */
export type Emit = (finding: Finding) => void;

/** Called when a watch was stopped, once each. `about`: datastream or device. */
export type OnFault = (detector: string, about: string, error: unknown) => void;

/** Calls one function of a watch. A constant for each function, rather than a closure for each observation. */
export type Call<T> = (attached: Attached, input: T, say: Say) => void;

export interface TellingOptions {
  tally: Tally;
  /** A lasting finding is told again at most so often, in its own time. */
  updateEveryMs: number;
  onFault: OnFault | undefined;
}

export class Telling {
  /** Product's time of the latest record: the time at which things end that nobody is left to end. */
  now = 0;
  /** Where findings go; set with each record. */
  emit: Emit = () => {};
  readonly #options: TellingOptions;
  readonly #say: Say = (said) => this.#hear(said);
  #speaking: Attached | null = null;
  readonly #occasion: Trigger = { device: '', time: 0, receivedAt: 0 };

  constructor(options: TellingOptions) {
    this.#options = options;
  }

  reach(time: number): void {
    this.now = Math.max(this.now, time);
  }

  /** States what is heard from here on: whose record, its own time, and when it came in. */
  occasion(device: string, time: number, receivedAt: number): void {
    this.#occasion.device = device;
    this.#occasion.time = time;
    this.#occasion.receivedAt = receivedAt;
  }

  /** A watch that was stopped is passed over. */
  run<T>(attached: Attached, call: Call<T>, input: T): void {
    if (attached.fault !== null) return;
    this.#speaking = attached;
    try {
      call(attached, input, this.#say);
    } catch (error) {
      attached.fault = messageOf(error);
      this.fault(attached.plan.label, attached.stream ?? attached.owner.id, error);
    }
  }

  /** Ends what a watch without heir had open: nobody is left to say when it is over. */
  end(label: string, device: string, open: OpenFindings | null): void {
    if (open === null) return;
    const trigger = { device, time: this.now, receivedAt: this.now };
    for (const finding of closeAll(open, trigger)) this.#pass(label, finding);
  }

  fault(detector: string, about: string, error: unknown): void {
    this.#options.tally.fault({ detector, about, message: messageOf(error) });
    this.#options.onFault?.(detector, about, error);
  }

  #hear(said: Said): void {
    const attached = this.#speaking;
    if (attached === null) return;
    const open: OpenFindings = attached.open ?? new Map();
    const finding = tell(open, speakerOf(attached), said, { ...this.#occasion }, this.#options.updateEveryMs);
    attached.open = open.size === 0 ? null : open;
    if (finding !== null) this.#pass(attached.plan.label, finding);
  }

  #pass(label: string, finding: Finding): void {
    bump(this.#options.tally.findings, `${label} ${finding.kind} ${finding.state}`);
    this.emit(finding);
  }
}

function speakerOf({ plan, owner, stream }: Attached): Speaker {
  const { id, device } = owner;
  return {
    label: plan.label,
    detector: plan.detector.name,
    version: plan.detector.version,
    parameters: plan.parameters,
    device: id,
    datastream: stream,
    looksAt:
      stream === null ? device.datastreams.map((d) => datastreamId(id, d.property, d.statistic)) : [stream],
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
