import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeRecord } from '../backbone/codec.ts';
import { openSqliteRecords } from '../backbone/records/sqlite.ts';
import { openLmdbStream } from '../backbone/stream/lmdb.ts';
import { type DraftCase, TOPICS } from '../contracts/index.ts';
import { alertingMigrations, alertingTables, verifyAudit } from './index.ts';
import { finding, findingId } from './testing/fixtures.ts';
import { until, Visitor } from './testing/product.ts';

const log = pino({ level: 'silent' });
const FINDINGS = 200;
let folder: string;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-crash-'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function appendFindings(): Promise<void> {
  const stream = await openLmdbStream({ folder: join(folder, 'stream'), log });
  await stream.append(
    TOPICS.findings,
    Array.from({ length: FINDINGS }, (_, i) => {
      const one = finding({ name: `f${i}`, device: `dust-${i}` });
      return { key: one.device, value: encodeRecord(one) };
    }),
  );
  await stream.close();
}

async function startChild(config: unknown): Promise<{ url: string; kill(): Promise<void> }> {
  const file = join(import.meta.dirname, 'testing', 'child.ts');
  const args = ['--import', 'tsx', file, folder, String(FINDINGS), JSON.stringify(config)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    url: line.toString().trim(),
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
      children.delete(child);
    },
  };
}

async function readStore<T>(read: (db: ReturnType<typeof alertingTables>) => Promise<T>): Promise<T> {
  const file = join(folder, 'records.sqlite');
  const records = await openSqliteRecords({ file, migrations: [alertingMigrations], log });
  try {
    return await read(alertingTables(records));
  } finally {
    await records.close();
  }
}

// Each child compiles the stage from source before it does anything: seconds, on a busy machine many.
describe('kill -9', { timeout: 90_000 }, () => {
  it('in the middle of taking findings: none lost, none doubled, the audit whole', async () => {
    await appendFindings();
    // Small batches, so that there is something to be killed in the middle of.
    const config = { demoAccess: true, raise: { batch: 5 } };
    let kills = 0;
    for (let taken = 0; taken < FINDINGS; ) {
      const child = await startChild(config);
      const visitor = new Visitor(child.url);
      const goal = Math.min(FINDINGS, taken + 80);
      await until(async () => {
        const { json } = await visitor.get('/api/counts');
        taken = json.findings['limit-exceeded'] ?? 0;
        return taken >= goal;
      });
      await child.kill();
      kills++;
    }
    expect(kills).toBeGreaterThan(1);
    await readStore(async (db) => {
      const alerts = await db.selectFrom('alerting_alerts').select(['founder', 'seq']).execute();
      const expected = Array.from({ length: FINDINGS }, (_, i) => findingId(`f${i}`));
      expect(alerts.map((a) => a.founder).sort()).toEqual(expected.sort());
      const drafts = await db.selectFrom('alerting_drafts').select(['alert', 'body']).execute();
      expect(new Set(drafts.map((d) => d.alert)).size).toBe(FINDINGS);
      const numbers = drafts.map((d) => Number((JSON.parse(d.body) as DraftCase).number.slice(-4)));
      expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: FINDINGS }, (_, i) => i + 1));
      const totals = await db.selectFrom('alerting_totals').selectAll().execute();
      expect(totals.map((t) => t.value)).toEqual([FINDINGS, FINDINGS, FINDINGS]);
      const events = await db.selectFrom('alerting_events').select('id').orderBy('id').execute();
      expect(events.map((e) => e.id)).toEqual(Array.from({ length: 2 * FINDINGS }, (_, i) => i + 1));
      expect(await verifyAudit(db)).toMatchObject({ valid: true, entries: 2 * FINDINGS });
    });
  });

  it('between the delivery and its record: the lead comes again under the same id', async () => {
    await appendFindings();
    const ids: string[] = [];
    let answer = false;
    const receiver = createServer((request, response) => {
      request.resume();
      ids.push(String(request.headers['webhook-id']));
      // The first delivery arrived, but the sender never learns of it.
      if (answer) response.end('{}');
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const secret = `whsec_${Buffer.from('a secret of a good thirty bytes').toString('base64')}`;
    const config = { demoAccess: true, deliver: { fallback: { url, secret } } };
    try {
      const first = await startChild(config);
      const visitor = new Visitor(first.url);
      await until(async () => (await visitor.get('/api/draft-cases?limit=1')).json.items.length > 0);
      const [draft] = (await visitor.get('/api/draft-cases?limit=1')).json.items;
      const confirm = await visitor.post(`/api/draft-cases/${draft.id}/confirm`, { version: draft.version });
      expect(confirm.status).toBe(200);
      await until(() => ids.length === 1);
      await first.kill();
      answer = true;
      const second = await startChild(config);
      const lead = async () => (await new Visitor(second.url).get('/api/leads')).json.items[0];
      await until(async () => (await lead()).state === 'delivered');
      expect(ids).toEqual([confirm.json.lead, confirm.json.lead]);
      await second.kill();
    } finally {
      receiver.closeAllConnections();
      receiver.close();
    }
  });
});
