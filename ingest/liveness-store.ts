import type { Log, Migrations, Records } from '../backbone/index.ts';
import { pause } from '../backbone/retry.ts';
import type { LivenessState, LivenessWhy } from './liveness-words.ts';

/**
 * What was told of each device last, over a restart: so that a restart tells nothing anew. Written behind the stream: what
 * is here has been told; what was told and is not here yet is told once more after a crash, which changes nothing.
 */
export interface SavedLiveness {
  device: string;
  state: Exclude<LivenessState, 'never-heard'>;
  since: number;
  heardAt: number;
  why: LivenessWhy | null;
}

export interface LivenessStore {
  load(): Promise<SavedLiveness[]>;
  /** Writes the present state of these devices; one writing at a time, what comes meanwhile joins the next. */
  save(states: readonly SavedLiveness[]): void;
  /** Waits for what is under way. */
  settled(): Promise<void>;
}

export type LivenessTables = {
  liveness: {
    device: string;
    state: string;
    since: number;
    heard_at: number;
    why: string | null;
  };
};

export const livenessMigrations: Migrations = {
  ingest_0003_liveness: {
    async up(db) {
      await db.schema
        .createTable('liveness')
        .addColumn('device', 'text', (c) => c.primaryKey())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('since', 'bigint', (c) => c.notNull())
        .addColumn('heard_at', 'bigint', (c) => c.notNull())
        .addColumn('why', 'text')
        .execute();
    },
  },
};

const ROWS_AT_ONCE = 100;
/** SQLite works on the thread that asks: a hundred thousand rows at once would hold up every message. */
const ROWS_A_TRANSACTION = 500;
const BREATH_MS = 10;

export function livenessStore(records: Pick<Records, 'db'>, log: Log): LivenessStore {
  const db = records.db.withTables<LivenessTables>();
  /** By device id. */
  const waiting = new Map<string, SavedLiveness>();
  let writing: Promise<void> | null = null;
  let failed = false;

  async function write(states: readonly SavedLiveness[]): Promise<void> {
    await db.transaction().execute(async (tx) => {
      for (let i = 0; i < states.length; i += ROWS_AT_ONCE) {
        const rows = states.slice(i, i + ROWS_AT_ONCE).map(toRow);
        await tx
          .insertInto('liveness')
          .values(rows)
          .onConflict((c) =>
            c.column('device').doUpdateSet((e) => ({
              state: e.ref('excluded.state'),
              since: e.ref('excluded.since'),
              heard_at: e.ref('excluded.heard_at'),
              why: e.ref('excluded.why'),
            })),
          )
          .execute();
      }
    });
  }

  function takeSome(): SavedLiveness[] {
    const states: SavedLiveness[] = [];
    for (const state of waiting.values()) {
      if (states.length >= ROWS_A_TRANSACTION) break;
      states.push(state);
      waiting.delete(state.device);
    }
    return states;
  }

  async function writeAll(): Promise<void> {
    while (waiting.size > 0) {
      const states = takeSome();
      try {
        await write(states);
        failed = false;
        await pause(BREATH_MS);
      } catch (error) {
        // What came meanwhile is newer.
        for (const state of states) if (!waiting.has(state.device)) waiting.set(state.device, state);
        if (!failed) log.warn({ err: error }, 'the liveness of devices cannot be written down; trying again');
        failed = true;
        return;
      }
    }
  }

  return {
    async load() {
      const rows = await db.selectFrom('liveness').selectAll().execute();
      return rows.map((row) => ({
        device: row.device,
        state: row.state as SavedLiveness['state'],
        since: Number(row.since),
        heardAt: Number(row.heard_at),
        why: row.why as LivenessWhy | null,
      }));
    },
    save(states) {
      for (const state of states) waiting.set(state.device, state);
      if (waiting.size === 0) return;
      writing ??= writeAll().finally(() => {
        writing = null;
      });
    },
    async settled() {
      while (writing !== null) await writing;
    },
  };
}

function toRow({ device, state, since, heardAt, why }: SavedLiveness): LivenessTables['liveness'] {
  return { device, state, since, heard_at: heardAt, why };
}
