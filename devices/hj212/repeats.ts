import { createHash } from 'node:crypto';

/**
 * Frames that were seen, by sender and key (QN, CN, PNO, DataTime): a sender that hears no answer says the same up to four times (2017
 * 6.5). Bounded: the last PER_SENDER frames of each sender, MOST_FRAMES of all, those of the sender longest unheard go first;
 * what is forgotten is known again by its values, in ingest.
 */
export type Judgement =
  | { seen: 'never' }
  /** `durable`: all of it is stored, and it needs no second look. `values`: how many it held. */
  | { seen: 'same'; durable: boolean; values: number }
  | { seen: 'other'; before: string };

interface Entry {
  hash: string;
  values: number;
  durable: boolean;
}

const PER_SENDER = 32;
const MOST_FRAMES = 100_000;

export class Repeats {
  /** By sender, longest unheard first; each by key, oldest first. */
  readonly #senders = new Map<string, Map<string, Entry>>();
  #frames = 0;

  judge(sender: string, key: string, hash: string): Judgement {
    const known = this.#senders.get(sender)?.get(key);
    if (known === undefined) return { seen: 'never' };
    if (known.hash !== hash) return { seen: 'other', before: known.hash };
    return { seen: 'same', durable: known.durable, values: known.values };
  }

  /** Not durable yet: until then a repeat is decoded like the first. */
  remember(sender: string, key: string, hash: string, values: number): void {
    const frames = this.#senders.get(sender) ?? new Map<string, Entry>();
    this.#senders.delete(sender);
    this.#senders.set(sender, frames);
    if (!frames.has(key)) this.#frames += 1;
    frames.set(key, { hash, values, durable: false });
    if (frames.size > PER_SENDER) {
      frames.delete(first(frames));
      this.#frames -= 1;
    }
    if (this.#frames > MOST_FRAMES) this.#forgetLongestUnheard();
  }

  durable(sender: string, key: string): void {
    const known = this.#senders.get(sender)?.get(key);
    if (known !== undefined) known.durable = true;
  }

  #forgetLongestUnheard(): void {
    const sender = first(this.#senders);
    this.#frames -= this.#senders.get(sender)?.size ?? 0;
    this.#senders.delete(sender);
  }
}

export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function first(map: Map<string, unknown>): string {
  return map.keys().next().value ?? '';
}
