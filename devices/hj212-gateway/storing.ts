import { setTimeout as sleep } from 'node:timers/promises';
import type { QuarantineReason } from '../../contracts/index.ts';
import type { DeviceMessage } from '../message.ts';

/** What ingest says of a message; see its Receipt. */
export interface AcceptOutcome {
  outcome: 'accepted' | 'duplicate' | 'quarantined';
  reason: QuarantineReason | null;
}

export interface StoringDeps {
  /** Resolves when the message is durable; rejects when a store is away. */
  accept(message: DeviceMessage): Promise<AcceptOutcome>;
  /** One log line when storage goes, one when it is back. */
  outage: { begun(error: unknown): void; over(): void };
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

/**
 * Hands a message to ingest. Null: it was not stored, and must not be answered. A message whose sender will say it again
 * (`comesAgain`) is tried once; any other until it is stored, or `signal` is aborted. `failed` hears of each failure.
 */
export async function store(
  message: DeviceMessage,
  { accept, outage }: StoringDeps,
  how: { comesAgain: boolean; signal: AbortSignal; failed: () => void },
): Promise<AcceptOutcome | null> {
  const { comesAgain, signal, failed } = how;
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
    try {
      const outcome = await accept(message);
      outage.over();
      return outcome;
    } catch (error) {
      outage.begun(error);
      failed();
      if (comesAgain || signal.aborted) return null;
      await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return null;
    }
  }
}

/** The codec did not find the checksum that the device's profile asks for. */
export function isUnverified({ outcome, reason }: AcceptOutcome): boolean {
  return outcome === 'quarantined' && (reason === 'crc-mismatch' || reason === 'not-decrypted');
}
