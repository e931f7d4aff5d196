import type { Kysely, Transaction } from 'kysely';
import type { Log, Records } from '../../backbone/index.ts';
import { QianliyanError } from '../../contracts/index.ts';
import type { Sighting } from '../message.ts';
import type { Registry } from './registry.ts';
import type { DeviceTables } from './tables.ts';

/**
 * Unknown devices: who spoke and is not in the registry, gathered for a person to adopt or dismiss.
 *
 * Promises: `saw` is a map look-up, never waits and never throws; at most `names` are kept, and whoever was silent the
 * longest goes first; at most `rowsAFlush` rows are written every `flushMs`. So a flood of made-up names costs neither
 * memory nor disk without bound. What was seen since the last flush is lost when the process is killed: the messages
 * themselves are in quarantine.
 */
export interface Strangers {
  saw(sighting: Sighting): void;
  /** The last seen first. Dismissed ones only when asked for. */
  list(options?: { dismissed?: boolean }): Stranger[];
  get(name: string): Stranger | undefined;
  /** Hides a name for good, however much it goes on speaking; `false` shows it again. */
  dismiss(name: string, dismissed?: boolean): Promise<void>;
  /** It is no stranger any more. */
  forget(name: string): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface Stranger {
  /** Device id that its topic has, or an address such as `hj212:<MN>`. */
  name: string;
  kind: 'readings' | 'picture';
  /** Epoch ms. */
  firstSeen: number;
  lastSeen: number;
  count: number;
  /** The first few that it used. */
  topics: string[];
  client: string | null;
  /** Head of the last message. */
  payload: Buffer;
  /** Length of that message. */
  payloadBytes: number;
  dismissed: boolean;
}

export interface StrangersDeps {
  records: Records;
  log: Log;
  /** Whoever becomes a device, by whatever way, is no stranger any more. */
  registry: Pick<Registry, 'get' | 'find' | 'onChange'>;
  names?: number;
  flushMs?: number;
  rowsAFlush?: number;
}

const MOST_TOPICS = 8;
const HEAD_BYTES = 2_048;
const MOST_NAME_CHARACTERS = 200;

export async function openStrangers(deps: StrangersDeps): Promise<Strangers> {
  const { log, names = 10_000, flushMs = 5_000, rowsAFlush = 500 } = deps;
  const db = deps.records.db.withTables<DeviceTables>();
  /** By name; the longest silent first. */
  const strangers = await readAll(db);
  /** Names whose row is older than what is known. */
  const dirty = new Set<string>();
  /** Names whose row has to go. */
  const gone = new Set<string>();
  /** Names that have a row. */
  const stored = new Set(strangers.keys());
  let flushing: Promise<void> = Promise.resolve();
  let failing = false;

  function saw(sighting: Sighting): void {
    const { name } = sighting;
    if (name.length > MOST_NAME_CHARACTERS) return;
    const known = strangers.get(name);
    const stranger = known ?? newStranger(sighting);
    if (known !== undefined) seenAgain(known, sighting);
    strangers.delete(name);
    strangers.set(name, stranger);
    dirty.add(name);
    gone.delete(name);
    if (strangers.size > names) evictOldest();
  }

  function evictOldest(): void {
    const oldest = strangers.keys().next().value;
    if (oldest !== undefined) drop(oldest);
  }

  function drop(name: string): void {
    strangers.delete(name);
    dirty.delete(name);
    if (stored.has(name)) gone.add(name);
  }

  async function writeSome(): Promise<void> {
    // The longest waiting first, so that a flood cannot keep a real one from being written.
    const rows = [...take(dirty, rowsAFlush)].flatMap((name) => strangers.get(name) ?? []);
    const leaving = [...take(gone, rowsAFlush)];
    if (rows.length + leaving.length === 0) return;
    try {
      await db.transaction().execute(async (tx) => {
        for (const stranger of rows) await upsert(tx, stranger);
        for (const name of leaving)
          await tx.deleteFrom('device_strangers').where('name', '=', name).execute();
      });
      for (const { name } of rows) stored.add(name);
      for (const name of leaving) stored.delete(name);
      failing = false;
    } catch (error) {
      for (const { name } of rows) if (strangers.has(name)) dirty.add(name);
      for (const name of leaving) if (!strangers.has(name)) gone.add(name);
      if (!failing) log.error({ err: error }, 'unknown devices cannot be written down');
      failing = true;
    }
  }

  function flush(): Promise<void> {
    flushing = flushing.then(writeSome);
    return flushing;
  }

  function there(name: string): Stranger {
    const stranger = strangers.get(name);
    if (stranger === undefined) throw new QianliyanError('NOT_FOUND', `no unknown device ${name} was seen`);
    return stranger;
  }

  const stopListening = deps.registry.onChange((id) => {
    for (const name of [id, ...(deps.registry.get(id)?.addresses ?? [])]) if (strangers.has(name)) drop(name);
  });
  // Adopted while this was not running.
  for (const name of [...strangers.keys()]) if (deps.registry.find(name) !== undefined) drop(name);
  const timer = flushMs > 0 ? setInterval(() => void flush(), flushMs) : null;
  timer?.unref();

  return {
    saw,
    list: ({ dismissed = false } = {}) =>
      [...strangers.values()].filter((s) => s.dismissed === dismissed).reverse(),
    get: (name) => strangers.get(name),
    async dismiss(name, dismissed = true) {
      there(name).dismissed = dismissed;
      dirty.add(name);
      await flush();
    },
    async forget(name) {
      drop(name);
      await flush();
    },
    flush,
    async close() {
      stopListening();
      if (timer !== null) clearInterval(timer);
      while (dirty.size + gone.size > 0 && !failing) await flush();
    },
  };
}

function newStranger({ name, kind, topic, clientId, at, payload }: Sighting): Stranger {
  return {
    name,
    kind,
    firstSeen: at,
    lastSeen: at,
    count: 1,
    topics: [topic],
    client: clientId,
    // A copy: the payload is a window on a larger buffer.
    payload: Buffer.from(payload.subarray(0, HEAD_BYTES)),
    payloadBytes: payload.length,
    dismissed: false,
  };
}

function seenAgain(known: Stranger, { kind, topic, clientId, at, payload }: Sighting): void {
  known.count += 1;
  known.kind = kind;
  known.lastSeen = Math.max(known.lastSeen, at);
  known.client = clientId ?? known.client;
  known.payload = Buffer.from(payload.subarray(0, HEAD_BYTES));
  known.payloadBytes = payload.length;
  if (known.topics.length < MOST_TOPICS && !known.topics.includes(topic)) known.topics.push(topic);
}

/** Takes the first ones out of a set. */
function* take(set: Set<string>, most: number): Generator<string> {
  let left = most;
  for (const item of set) {
    if (left-- <= 0) return;
    set.delete(item);
    yield item;
  }
}

async function upsert(tx: Transaction<DeviceTables>, stranger: Stranger): Promise<void> {
  const { name, kind, firstSeen, lastSeen, count, topics, client, payload, payloadBytes, dismissed } =
    stranger;
  const row = {
    kind,
    first_seen: firstSeen,
    last_seen: lastSeen,
    count,
    topics: JSON.stringify(topics),
    client,
    payload: payload.toString('base64'),
    payload_bytes: payloadBytes,
    dismissed: dismissed ? 1 : 0,
  } as const;
  await tx
    .insertInto('device_strangers')
    .values({ name, ...row })
    .onConflict((c) => c.column('name').doUpdateSet(row))
    .execute();
}

async function readAll(db: Kysely<DeviceTables>): Promise<Map<string, Stranger>> {
  const rows = await db.selectFrom('device_strangers').selectAll().orderBy('last_seen').execute();
  const strangers = rows.map(
    (row): Stranger => ({
      name: row.name,
      kind: row.kind,
      firstSeen: Number(row.first_seen),
      lastSeen: Number(row.last_seen),
      count: Number(row.count),
      topics: JSON.parse(row.topics),
      client: row.client,
      payload: Buffer.from(row.payload, 'base64'),
      payloadBytes: Number(row.payload_bytes),
      dismissed: row.dismissed === 1,
    }),
  );
  return new Map(strangers.map((s) => [s.name, s]));
}

/**
 * What to propose to whoever adopts it: the properties that a payload in native JSON names, with the values that it had.
 * Empty for all else: then the payload's head is what there is to look at.
 */
export function propertiesSeen(payload: Buffer): Record<string, number> {
  const text = payload.toString('utf8');
  try {
    const read: unknown = JSON.parse(text);
    const messages = Array.isArray(read) ? read : [read];
    const readings = messages.flatMap((m) => Object.entries(Object(Reflect.get(Object(m), 'readings'))));
    const named = readings.map(
      ([name, said]) => [name, typeof said === 'object' ? Object(said).value : said] as const,
    );
    return Object.fromEntries(
      named.filter((p): p is [string, number] => typeof p[1] === 'number').slice(0, 64),
    );
  } catch {
    return {};
  }
}
