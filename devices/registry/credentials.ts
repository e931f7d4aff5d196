import { createHmac, randomBytes } from 'node:crypto';
import { matchesPassword } from './passwords.ts';

/** What became of a try to sign in. Log and metric show this same word. */
export type SignIn = 'accepted' | 'device-unknown' | 'no-password-set' | 'password-wrong' | 'busy';

/**
 * Who may speak as which device. Checks are exact and cheap when repeated: what scrypt said of a (device, password,
 * hash) is remembered under an HMAC with a key that lives in this process only, right and wrong answers alike, so that
 * neither a reconnect storm nor a misconfigured device costs a hash each time. Bounded in memory, in hashes computed
 * at a time, and in tries that wait: beyond that the answer is `busy`, and the device tries again.
 */
export interface Credentials {
  /** Hash of a device, or null when it may not sign in. */
  set(device: string, hash: string | null): void;
  has(device: string): boolean;
  check(device: string, password: Buffer): Promise<SignIn>;
}

export interface CredentialsLimits {
  /** Hashes at a time: fewer than the thread pool has threads, which files and pictures need too. */
  hashing: number;
  /** Tries that may wait for a hash. */
  waiting: number;
  /** Answers remembered. */
  remembered: number;
}

const DEFAULT_LIMITS: CredentialsLimits = { hashing: 2, waiting: 10_000, remembered: 200_000 };

export function credentials(limits: CredentialsLimits = DEFAULT_LIMITS): Credentials {
  /** Password hash by device id. */
  const hashes = new Map<string, string>();
  const answers = answerMemory(limits.remembered);
  const inTurn = turnstile(limits.hashing, limits.waiting);

  return {
    set(device, hash) {
      if (hash === null) hashes.delete(device);
      else hashes.set(device, hash);
    },
    has: (device) => hashes.has(device),
    async check(device, password) {
      const hash = hashes.get(device);
      if (hash === undefined) return 'no-password-set';
      const key = answers.key(device, password, hash);
      const known = answers.get(key);
      if (known !== undefined) return known ? 'accepted' : 'password-wrong';
      const right = await inTurn(() => matchesPassword(password, hash));
      if (right === 'busy') return 'busy';
      answers.remember(key, right);
      return right ? 'accepted' : 'password-wrong';
    },
  };
}

/** Remembers answers by HMAC; the oldest are forgotten first. The stored hash is part of the key: a new password asks anew. */
function answerMemory(most: number) {
  const secret = randomBytes(32);
  /** Whether the password was right, by HMAC of device, password and stored hash. */
  const answers = new Map<string, boolean>();
  return {
    key: (device: string, password: Buffer, hash: string): string =>
      createHmac('sha256', secret).update(`${device}\n${hash}\n`).update(password).digest('base64'),
    get: (key: string): boolean | undefined => answers.get(key),
    remember(key: string, right: boolean): void {
      answers.set(key, right);
      if (answers.size <= most) return;
      const oldest = answers.keys().next().value;
      if (oldest !== undefined) answers.delete(oldest);
    },
  };
}

/** Lets `atATime` pieces of work run, `waiting` more stand in line, and tells the rest that it is busy. */
function turnstile(atATime: number, waiting: number) {
  let running = 0;
  const line: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T | 'busy'> => {
    if (running < atATime) running += 1;
    else if (line.length >= waiting) return 'busy';
    else await new Promise<void>((resolve) => line.push(resolve));
    try {
      return await work();
    } finally {
      // The place goes to the next in line, so that nobody slips in between.
      const next = line.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
