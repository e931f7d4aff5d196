import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { manualClock } from '../../backbone/clock.ts';
import { decodeRecord, encodeRecord } from '../../backbone/codec.ts';
import { openLmdbStream } from '../../backbone/stream/lmdb.ts';
import type { Stream } from '../../backbone/stream/port.ts';
import type { Finding, ObservationRecord } from '../../contracts/index.ts';
import { SensorDetectorsConfig } from './config.ts';
import { SENSOR_GROUP, type SensorDetectors, startSensorDetectors } from './runtime.ts';
import {
  at,
  BEIJING_MS,
  inOrder,
  type MemoryStream,
  memoryStream,
  readings,
  testCatalog,
  testDevice,
  testDirectory,
  ticks,
} from './testing/index.ts';

const T = at('2026-11-22 10:00');
const MIN = 60_000;
const directory = testDirectory([testDevice('dust-01', ['TSP']), testDevice('dust-02', ['TSP'])]);
const started: SensorDetectors[] = [];
const metrics = new Map<SensorDetectors, Registry>();

async function start(stream: Stream, config: object = {}): Promise<SensorDetectors> {
  const registry = new Registry();
  const detectors = await startSensorDetectors(SensorDetectorsConfig.parse(config), {
    stream,
    clock: manualClock(T),
    log: pino({ level: 'silent' }),
    metrics: registry,
    directory,
    catalog: testCatalog(),
    utcOffsetMs: BEIJING_MS,
  });
  started.push(detectors);
  metrics.set(detectors, registry);
  return detectors;
}

/** dust-01 breaks its limit for half an hour, dust-02 falls silent. */
const story = inOrder(
  readings('dust-01/TSP', T, 30, [...Array(20).fill(0.3), ...Array(60).fill(1.2), ...Array(60).fill(0.3)]),
  readings('dust-02/TSP', T, 30, Array(20).fill(0.2)),
  ticks(T, T + 70 * MIN, 10),
);
const append = (stream: Stream, records: readonly ObservationRecord[]) =>
  stream.append(
    'observations',
    records.map((r) => ({ key: 'device' in r ? r.device : '', value: encodeRecord(r) })),
  );
const told = (stream: MemoryStream): Finding[] =>
  stream.records('findings').map((r) => decodeRecord<Finding>(r.value));

afterEach(async () => {
  for (const detectors of started.splice(0)) await detectors.stop().catch(() => {});
});

/** What an undisturbed run makes of the story. */
async function undisturbed(): Promise<Finding[]> {
  const stream = memoryStream();
  const detectors = await start(stream);
  await append(stream, story);
  await stream.drained();
  await detectors.stop();
  return told(stream);
}

describe('sensor detection on the stream', () => {
  test('finds without any configuration, keyed by device, counts and shows it', async () => {
    const stream = memoryStream();
    const detectors = await start(stream);
    await append(stream, story);
    await stream.drained();
    const findings = told(stream);
    const opened = findings.filter((f) => f.state === 'open' && f.kind !== 'anomaly');
    expect(opened.map((f) => [f.kind, f.device])).toEqual([
      ['device-silent', 'dust-02'],
      ['limit-exceeded', 'dust-01'],
    ]);
    expect(stream.records('findings').map((r) => r.key)).toEqual(findings.map((f) => f.device));
    expect(detectors.counts()).toMatchObject({
      observations: 160,
      devices: 2,
      findings: { 'limit-exceeded': 1, 'device-silent': 1 },
    });
    expect(detectors.health()).toMatchObject({ ok: true, stalled: null, faults: [] });
    const text = await metrics.get(detectors)!.metrics();
    expect(text).toContain('qianliyan_detector_observations_total{outcome="observed"} 160');
    expect(text).toContain(
      'qianliyan_detector_findings_total{detector="limits",kind="limit-exceeded",state="open"} 1',
    );
  });

  test('killed between findings and checkpoint, it says the same again under the same ids, and nothing else', async () => {
    const expected = await undisturbed();
    const stream = memoryStream();
    stream.failing.add('saveCheckpoint');
    const first = await start(stream, { checkpointEveryRecords: 1 });
    await append(stream, story.slice(0, 250));
    await stream.drained();
    // Its stop cannot save either: as after kill -9, only what lies on the stream is left.
    await expect(first.stop()).rejects.toThrow('the disk does not answer');
    started.length = 0;
    const before = told(stream).length;
    expect(before).toBeGreaterThan(0);

    stream.failing.clear();
    const second = await start(stream);
    await append(stream, story.slice(250));
    await stream.drained();
    await second.stop();
    const all = told(stream);
    expect(all.slice(before)).toEqual(expected);
    expect(new Set(all.map((f) => `${f.id} ${f.revision}`)).size).toBe(expected.length);
  });

  test('stopped and started again in the middle of a window, it goes on without a repeat', async () => {
    const expected = await undisturbed();
    const stream = memoryStream();
    for (const [from, to] of [
      [0, 7],
      [7, 131],
      [131, 300],
      [300, 9999],
    ]) {
      const detectors = await start(stream);
      await append(stream, story.slice(from, to));
      await stream.drained();
      await detectors.stop();
    }
    expect(told(stream)).toEqual(expected);
  });

  test('findings that could not be written are written later, once, and nothing is observed twice', async () => {
    const expected = await undisturbed();
    const stream = memoryStream();
    const detectors = await start(stream);
    await append(stream, story);
    const append_ = stream.append.bind(stream);
    let failures = 5;
    stream.append = async (topic, records) => {
      if (topic === 'findings' && failures-- > 0) throw new Error('the disk does not answer');
      await append_(topic, records);
    };
    await stream.drained();
    expect(told(stream)).toEqual(expected);
    expect(detectors.counts().observations).toBe(160);
  });

  test('a damaged checkpoint line costs only its own device', async () => {
    const stream = memoryStream();
    const first = await start(stream);
    await append(stream, story.slice(0, 100));
    await stream.drained();
    await first.stop();
    const saved = (await stream.loadCheckpoint(SENSOR_GROUP, 'observations', 0))!;
    const text = Buffer.from(saved.state!).toString('utf8').replace('{"d":"dust-02"', '{"d":');
    await stream.saveCheckpoint(SENSOR_GROUP, 'observations', 0, { ...saved, state: Buffer.from(text) });
    const second = await start(stream);
    await append(stream, story.slice(100));
    await stream.drained();
    await second.stop();
    expect(told(stream).filter((f) => f.kind === 'limit-exceeded')).toEqual(
      (await undisturbed()).filter((f) => f.kind === 'limit-exceeded'),
    );
  });
});

describe('on LMDB', () => {
  test('the same findings, across a restart of the whole stream', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'qianliyan-detectors-'));
    try {
      const open = () => openLmdbStream({ folder, log: pino({ level: 'silent' }) });
      const findings: Finding[] = [];
      for (const part of [story.slice(0, 200), story.slice(200)]) {
        const stream = await open();
        const detectors = await start(stream);
        await append(stream, part);
        const end = (await stream.ends('observations'))[0]!.next;
        const ticksWanted = part.filter((r) => r.type === 'tick').length;
        await expect
          .poll(() => detectors.counts().observations + ticksWanted, { timeout: 10_000 })
          .toBe(part.length);
        await detectors.stop();
        started.length = 0;
        expect((await stream.loadCheckpoint(SENSOR_GROUP, 'observations', 0))!.nextOffset).toBe(end);
        findings.length = 0;
        const stored = await stream.read('findings', 0, 0, 1000);
        findings.push(...stored.map((r) => decodeRecord<Finding>(r.value)));
        await stream.close();
      }
      expect(findings).toEqual(await undisturbed());
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
