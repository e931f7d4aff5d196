import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { type AlertingTables, verifyAudit } from '../alerting/index.ts';
import { wallClock } from '../backbone/index.ts';
import { openRegistry } from '../devices/index.ts';
import { auditRegistry, secretKeyFile } from './registry-deps.ts';
import { openRecords } from './stores.ts';

it('puts every step of the registry into the one chain of the audit trail', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'qianliyan-audit-'));
  const log = pino({ level: 'silent' });
  const records = await openRecords(folder, log);
  const deps = { records, clock: wallClock, log, refreshMs: 0, audit: auditRegistry };
  const registry = await openRegistry({ ...deps, secretKeyFile: secretKeyFile(folder) });
  const li = { who: 'li', via: '10.0.0.7' };
  const device = { id: 'dust-01', template: 'dust', site: 's', location: [123, 41] };
  await registry.upsert(device, { author: li });
  await registry.upsert({ ...device, model: 'x' }, { author: li });
  await registry.setPassword('dust-01', undefined, li);
  await registry.addCertificate('dust-01', { fingerprint: 'ab'.repeat(32) }, li);
  await registry.setSecret('dust-01', 'hj212-sm4', Buffer.from('0123456789abcdef'), li);
  await registry.putTemplate('mine', { name: { zh: '', en: '' }, kind: 'sensor' }, li);

  const db = records.db.withTables<AlertingTables>();
  const rows = await db
    .selectFrom('alerting_audit')
    .select(['who', 'via', 'action', 'subject'])
    .orderBy('seq')
    .execute();
  const actions = [
    'device.added',
    'device.changed',
    'device.password-set',
    'device.certificate-added',
    'device.secret-set',
  ];
  expect(rows).toEqual([
    ...actions.map((action) => ({ ...li, action, subject: 'dust-01' })),
    { ...li, action: 'template.changed', subject: 'mine' },
  ]);
  expect(await verifyAudit(db)).toMatchObject({ valid: true, entries: 6 });
  await registry.close();
  await records.close();
  await rm(folder, { recursive: true });
});
