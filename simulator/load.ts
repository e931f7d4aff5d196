/**
 * Load: many made-up devices, a steady rate, QoS 1 over real sockets; what counts is the acknowledgement.
 *
 * Promises: never more than {@link WINDOW} unacknowledged messages a connection, so a slow product slows the load
 * instead of filling memory; times are the wall clock's. Values are random walks of a fixed seed, times are not. Does not
 * promise the rate: the result says what was reached.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { type DeviceInput, MQTT_TOPICS } from '../contracts/index.ts';
import { wander } from './random.ts';
import { MINUTE } from './time.ts';

export interface LoadOptions {
  brokerUrl: string;
  /** How many devices speak, each under its own topic. */
  devices: number;
  /** Messages a second over all; Infinity = as fast as they are acknowledged. */
  rate: number;
  seconds: number;
  /** MQTT connections that the devices share. */
  connections: number;
  /** Signs in every connection; a user that may speak for all load devices. */
  credentials?: { username: string; password: string };
  /** Called about once a second. */
  onProgress?: (progress: LoadResult) => void;
}

export interface LoadResult {
  seconds: number;
  published: number;
  acknowledged: number;
  failed: number;
  /** Acknowledged messages a second. */
  ratePerS: number;
  /** Ms from publish to PUBACK, of a sample. */
  ackMs: { p50: number; p99: number };
}

const WINDOW = 500;
/** Messages are paced in steps of this many ms. */
const STEP_MS = 10;
const SAMPLES = 20_000;
/** How long the last acknowledgements may take. */
const FAREWELL_MS = 10_000;

export function loadDeviceId(n: number): string {
  return `load-${String(n).padStart(5, '0')}`;
}

/** The registry list of the load devices, load-00001 …; write it as JSON or YAML under `devices`. */
export function loadDevices(count: number): DeviceInput[] {
  return Array.from({ length: count }, (_, i) => {
    const id = loadDeviceId(i + 1);
    return {
      id,
      kind: 'sensor',
      name: { zh: `压测设备 ${i + 1}`, en: `Load device ${i + 1}` },
      site: `site-load-${(i % 100) + 1}`,
      location: [123.43, 41.8],
      datastreams: [
        { property: 'PM10', unit: 'ug/m3', range: [0, 10_000], intervalS: 30 },
        { property: 'PM2.5', unit: 'ug/m3', range: [0, 10_000], intervalS: 30 },
        { property: 'TEMP', unit: 'Cel', range: [-60, 80], intervalS: 30 },
      ],
    };
  });
}

/** Three values in about 200 bytes of JSON, as a chatty logger writes them. */
export function loadPayload(n: number, time: number): Buffer {
  const value = (seed: number, mid: number, swing: number, unit: string) => {
    return {
      value: Number((mid + swing * wander(seed + n * 7, time, 5 * MINUTE)).toFixed(2)),
      unit,
      quality: 'valid',
    };
  };
  const readings = {
    PM10: value(1, 80, 20, 'ug/m3'),
    'PM2.5': value(2, 35, 8, 'ug/m3'),
    TEMP: value(3, 12, 4, 'Cel'),
  };
  return Buffer.from(JSON.stringify({ time, readings }));
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const lanes = await Promise.all(
    Array.from({ length: options.connections }, (_, i) => openLane(options, i)),
  );
  const meter = startMeter();
  const publish = publisher(options, lanes, meter);
  const begun = performance.now();
  let told = begun;
  for (let now = begun; now - begun < options.seconds * 1000; now = performance.now()) {
    const due = Math.floor(((now - begun) / 1000) * options.rate);
    publish(due);
    if (now - told >= 1000) {
      told = now;
      options.onProgress?.(meter.result());
    }
    await sleep(STEP_MS);
  }
  const deadline = performance.now() + FAREWELL_MS;
  while (lanes.some((lane) => lane.inFlight > 0) && performance.now() < deadline) await sleep(STEP_MS);
  const result = meter.result();
  await Promise.all(lanes.map((lane) => lane.client.endAsync(lane.inFlight > 0)));
  return result;
}

interface Lane {
  client: MqttClient;
  inFlight: number;
}

async function openLane({ brokerUrl, credentials }: LoadOptions, i: number): Promise<Lane> {
  const client = await mqtt.connectAsync(brokerUrl, {
    clientId: `load-lane-${i + 1}`,
    protocolVersion: 4,
    ...(credentials ?? {}),
  });
  // mqtt.js reconnects by itself and sends again; without a listener an error would end the process.
  client.on('error', () => undefined);
  return { client, inFlight: 0 };
}

/**
 * Brings the number of published messages up to `due`, or as near as the windows allow. A device always speaks over the
 * same connection, and never twice at one millisecond.
 */
function publisher({ devices }: LoadOptions, lanes: readonly Lane[], meter: Meter): (due: number) => void {
  const lastTime = new Float64Array(devices);
  let next = 0;
  const send = (lane: Lane, index: number) => {
    const time = Math.max(Date.now(), (lastTime[index] ?? 0) + 1);
    lastTime[index] = time;
    const sentAt = performance.now();
    lane.inFlight += 1;
    meter.published();
    lane.client.publish(
      MQTT_TOPICS.observations(loadDeviceId(index + 1)),
      loadPayload(index, time),
      { qos: 1 },
      (error) => {
        lane.inFlight -= 1;
        meter.settled(performance.now() - sentAt, error ?? undefined);
      },
    );
  };
  return (due) => {
    let full = 0;
    while (meter.count() < due && full < lanes.length) {
      const index = next % devices;
      const lane = lanes[index % lanes.length];
      next += 1;
      if (lane === undefined || lane.inFlight >= WINDOW) full += 1;
      else {
        full = 0;
        send(lane, index);
      }
    }
  };
}

interface Meter {
  published(): void;
  /** Messages published so far. */
  count(): number;
  settled(ms: number, error: Error | undefined): void;
  result(): LoadResult;
}

function startMeter(): Meter {
  const begun = performance.now();
  let [published, acknowledged, failed] = [0, 0, 0];
  let lastAckAt = begun;
  /** A ring of the most recent ones. */
  const samples = new Float64Array(SAMPLES);
  return {
    published() {
      published += 1;
    },
    count: () => published,
    settled(ms, error) {
      if (error) failed += 1;
      else {
        samples[acknowledged % SAMPLES] = ms;
        acknowledged += 1;
        lastAckAt = performance.now();
      }
    },
    result() {
      const seconds = (lastAckAt - begun) / 1000;
      const sorted = samples.slice(0, Math.min(acknowledged, SAMPLES)).sort();
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
      const ratePerS = seconds > 0 ? acknowledged / seconds : 0;
      return { seconds, published, acknowledged, failed, ratePerS, ackMs: { p50: at(0.5), p99: at(0.99) } };
    },
  };
}
