import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { manualClock, type Records } from '../../backbone/index.ts';
import { openSqliteRecords } from '../../backbone/records/sqlite.ts';
import { BrokerConfig } from '../config.ts';
import { handOnTo } from '../handover.ts';
import type { DeviceMessage } from '../message.ts';
import { openRegistry, type Registry } from '../registry/registry.ts';
import { deviceMigrations } from '../registry/tables.ts';
import { type Broker, startBroker } from './broker.ts';

/** The broker with TLS, tried with a client that is not ours (mosquitto_pub) and certificates that openssl makes. */

const exec = promisify(execFile);
const log = pino({ level: 'silent' });
let pki: string;
let folder: string;
let records: Records;
let registry: Registry;
let broker: Broker;
let received: DeviceMessage[];

const at = (file: string) => join(pki, file);
const openssl = (...args: string[]) => exec('openssl', args, { cwd: pki });

async function authority(name: string): Promise<void> {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`];
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '9',
    ...files,
  );
}

/** A certificate of an authority; `days` below 0: one that has ended. */
async function certificate(
  file: string,
  commonName: string,
  ca = 'ca',
  extra: string[] = ['-days', '9'],
): Promise<void> {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${file}.key`,
  ];
  await openssl('req', '-new', ...key, '-out', `${file}.csr`, '-subj', `/O=District/CN=${commonName}`);
  await writeFile(at(`${file}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost');
  const by = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-extfile', `${file}.ext`];
  await openssl('x509', '-req', '-in', `${file}.csr`, '-out', `${file}.pem`, ...by, ...extra);
}

const fingerprintOf = async (file: string) =>
  new X509Certificate(await readFile(at(`${file}.pem`))).fingerprint256;

beforeAll(async () => {
  pki = await mkdtemp(join(tmpdir(), 'qianliyan-pki-'));
  await Promise.all([authority('ca'), authority('other-ca')]);
  await certificate('server', 'localhost');
  await certificate('dust-01', 'dust-01');
  await certificate('dust-01-new', 'dust-01');
  await certificate('logger-7', 'serial 4711');
  await certificate('nobody', 'nobody');
  await certificate('foreign', 'dust-01', 'other-ca');
  await certificate('ended', 'dust-01', 'ca', ['-days', '-1']);
}, 30_000);
afterAll(() => rm(pki, { recursive: true }));

async function start(tls: Record<string, unknown>): Promise<void> {
  const config = { port: 0, tls: { certFile: at('server.pem'), keyFile: at('server.key'), ...tls } };
  broker = await startBroker(BrokerConfig.parse(config), {
    registry,
    handOn: handOnTo(async (message) => {
      received.push(message);
      return {};
    }),
    session: () => undefined,
    log,
    metrics: new Metrics(),
  });
}

beforeEach(async () => {
  received = [];
  folder = await mkdtemp(join(tmpdir(), 'qianliyan-tls-'));
  records = await openSqliteRecords({ file: join(folder, 'r.sqlite'), migrations: [deviceMigrations], log });
  const clock = manualClock(Date.now());
  registry = await openRegistry({ records, clock, log, refreshMs: 0 });
  for (const id of ['dust-01', 'dust-02']) {
    await registry.upsert({
      id,
      template: 'dust',
      site: 's',
      location: [123.4, 41.8],
      password: `password of ${id}`,
    });
  }
});
afterEach(async () => {
  await broker.stop();
  await registry.close();
  await records.close();
  await rm(folder, { recursive: true });
});

/** What the product heard of one message, or the CONNACK code (or the TLS fault) with which mosquitto_pub gave up. */
async function publish(device: string, ...more: string[]): Promise<string> {
  const before = received.length;
  const topic = `v1/devices/${device}/observations`;
  const to = [
    '-h',
    '127.0.0.1',
    '-p',
    `${broker.port}`,
    '--cafile',
    at('ca.pem'),
    '-q',
    '1',
    '-t',
    topic,
    '-m',
    'x',
  ];
  const fault = await exec('mosquitto_pub', [...to, ...more], { timeout: 8_000 }).then(
    () => null,
    (error: { stderr: string; code: number }) => `${/error: (.*)/i.exec(error.stderr)?.[1] ?? error.stderr}`,
  );
  const message = received[before];
  return fault ?? `from ${message?.authenticatedDevice} on ${message?.topic}`;
}
const withCertificate = (file: string) => ['--cert', at(`${file}.pem`), '--key', at(`${file}.key`)];
const FROM_01 = 'from dust-01 on v1/devices/dust-01/observations';
const REFUSED = /not authori[sz]ed/i;

describe('TLS without client certificates', () => {
  it('takes a password, and nothing that is not encrypted', async () => {
    await start({});
    expect(await publish('dust-01', '-u', 'dust-01', '-P', 'password of dust-01')).toBe(FROM_01);
    expect(await publish('dust-01', '-u', 'dust-01', '-P', 'wrong')).toMatch(
      /bad user name or password|not authori[sz]ed/i,
    );
    const plain = ['-h', '127.0.0.1', '-p', `${broker.port}`, '-q', '1', '-t', 'a', '-m', 'x'];
    await expect(exec('mosquitto_pub', plain, { timeout: 8_000 })).rejects.toThrow();
    expect(received).toHaveLength(1);
  });
});

describe('client certificates', () => {
  it('are the device that their CN names, without a password; others still have theirs', async () => {
    await start({ clientCaFile: at('ca.pem') });
    expect(await publish('dust-01', ...withCertificate('dust-01'))).toBe(FROM_01);
    expect(await publish('dust-01', ...withCertificate('dust-01'), '-u', 'dust-01')).toBe(FROM_01);
    expect(await publish('dust-02', '-u', 'dust-02', '-P', 'password of dust-02')).toContain('from dust-02');
  });

  it('of another authority, that have ended, or of nobody are refused, whatever password comes with them', async () => {
    await start({ clientCaFile: at('ca.pem') });
    const password = ['-u', 'dust-01', '-P', 'password of dust-01'];
    for (const file of ['foreign', 'ended', 'nobody']) {
      expect([file, await publish('dust-01', ...withCertificate(file), ...password)]).toEqual([
        file,
        expect.stringMatching(REFUSED),
      ]);
    }
    expect(received).toEqual([]);
  });

  it('are nobody else: neither by user name nor by will', async () => {
    await start({ clientCaFile: at('ca.pem') });
    const other = ['-u', 'dust-02', '-P', 'password of dust-02'];
    expect(await publish('dust-02', ...withCertificate('dust-01'), ...other)).toMatch(REFUSED);
    const will = ['--will-topic', 'v1/devices/dust-02/status', '--will-payload', 'x'];
    expect(await publish('dust-01', ...withCertificate('dust-01'), ...will)).toMatch(REFUSED);
  });

  it('on record are the device whatever their CN says; from then on only those on record count', async () => {
    await start({ clientCaFile: at('ca.pem') });
    expect(await publish('dust-01', ...withCertificate('logger-7'))).toMatch(REFUSED);
    const pem = await readFile(at('logger-7.pem'), 'utf8');
    await registry.addCertificate('dust-01', { certificate: pem });
    expect(await publish('dust-01', ...withCertificate('logger-7'))).toBe(FROM_01);
    expect(await publish('dust-01', ...withCertificate('dust-01'))).toMatch(REFUSED);
    await registry.addCertificate('dust-01', { fingerprint: await fingerprintOf('dust-01-new') });
    expect(await publish('dust-01', ...withCertificate('dust-01-new'))).toBe(FROM_01);
  });

  it('that are revoked let nobody in, and end the session that rests on them', async () => {
    await start({ clientCaFile: at('ca.pem') });
    const to = [
      '-h',
      '127.0.0.1',
      '-p',
      `${broker.port}`,
      '--cafile',
      at('ca.pem'),
      ...withCertificate('dust-01'),
    ];
    const listening = exec('mosquitto_sub', [...to, '-t', 'v1/devices/dust-01/commands/#', '-W', '20', '-E']);
    await listening;
    const staying = execFile('mosquitto_sub', [...to, '-t', 'v1/devices/dust-01/commands/#', '-W', '20']);
    await expect.poll(() => broker.connections()).toBe(1);
    await registry.revokeCertificate('dust-01', await fingerprintOf('dust-01'));
    await expect.poll(() => broker.connections()).toBe(0);
    staying.kill();
    expect(await publish('dust-01', ...withCertificate('dust-01'))).toMatch(REFUSED);
    const again = await registry
      .addCertificate('dust-01', { fingerprint: await fingerprintOf('dust-01') })
      .catch((e) => e);
    expect(again).toMatchObject({ code: 'CONFLICT' });
  });

  it('may be asked of everybody: then a password alone is not enough', async () => {
    await start({ clientCaFile: at('ca.pem'), requireClientCertificate: true });
    expect(await publish('dust-01', '-u', 'dust-01', '-P', 'password of dust-01')).toMatch(REFUSED);
    expect(await publish('dust-01', ...withCertificate('dust-01'))).toBe(FROM_01);
  });

  it('need an authority that is one', async () => {
    await start({});
    const tls = { certFile: at('server.pem'), keyFile: at('server.key') };
    expect(BrokerConfig.safeParse({ tls: { ...tls, requireClientCertificate: true } }).success).toBe(false);
    const config = BrokerConfig.parse({ port: 0, tls: { ...tls, clientCaFile: at('server.key') } });
    const failing = startBroker(config, {
      registry,
      handOn: () => undefined,
      session: () => undefined,
      log,
      metrics: new Metrics(),
    });
    await expect(failing).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      problems: [{ path: 'mqtt.tls.clientCaFile' }],
    });
  });
});
