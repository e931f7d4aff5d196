/**
 * Load: many made-up devices at a steady rate over real sockets; what counts is the acknowledgement (PUBACK, or 9014).
 *
 *   pace ──due──▶ device n ─▶ its lane ──wire──▶ product          meter ──▶ report
 *                               ▲    └ mqtt-wire.ts | hj212-wire.ts   ▲
 *                               └─── acknowledged ────────────────────┘
 *
 * Promises: a message is sent again, the same bytes, until it is acknowledged or patience ends, over connections that break
 * and products that are killed: what it reports as acknowledged the product must have (`qianliyan count`). Memory is bounded
 * by the windows of the lanes. Values are functions of device and time. It does not promise the rate: the result says what
 * was reached.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type LoadProtocol, loadGatewayId } from './devices.ts';
import { hj212Wire } from './hj212-wire.ts';
import { type Address, Lane } from './lane.ts';
import { mqttWire } from './mqtt-wire.ts';
import { type LoadResult, type Meter, startMeter } from './report.ts';
import type { Wire } from './wire.ts';

export * from './devices.ts';
export { loadFrame, loadPayload } from './payload.ts';
export type { LoadResult } from './report.ts';

export interface LoadOptions {
  /** Default: mqtt. */
  protocol?: LoadProtocol;
  /** `mqtt://host:port`, `mqtts://host:port`, or `host:port`. */
  address: string;
  /** How many devices speak, each under its own topic or MN. */
  devices: number;
  /** Messages a second over all; Infinity = as fast as they are acknowledged. */
  rate: number;
  seconds: number;
  /** Connections that the devices share. */
  connections: number;
  /** MQTT: every connection signs in as its own gateway device (see `loadDevices`), or all as one user. */
  credentials?: { username?: string; password: string };
  /** How long the last acknowledgements may take; default 30. */
  patienceS?: number;
  /** Called about once a second. */
  onProgress?: (progress: LoadResult) => void;
}

/** Messages are paced in steps of this many ms. */
const STEP_MS = 10;
const PATIENCE_S = 30;
const SECOND_MS = 1_000;

/** @throws RangeError for a load that cannot be; Error when the first connections do not come about */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  check(options);
  const meter = startMeter(() => performance.now());
  const lanes = openLanes(options, meter);
  try {
    await Promise.all(lanes.map((lane) => lane.open()));
    await keepPace(options, lanes, meter);
    await lastAcknowledgements(lanes, options.patienceS ?? PATIENCE_S);
    return meter.result();
  } finally {
    for (const lane of lanes) lane.close();
  }
}

function check({ protocol, devices, rate }: LoadOptions): void {
  if (protocol === 'hj212' && rate > devices) {
    const why = 'DataTime counts seconds, so that a device has at most one message a second';
    throw new RangeError(`${rate} messages a second of ${devices} devices: ${why}`);
  }
}

export function parseAddress(text: string, standardPort: number): Address {
  const url = new URL(/^[a-z]+:\/\//.test(text) ? text : `tcp://${text}`);
  const tls = url.protocol === 'mqtts:' || url.protocol === 'tls:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(url.port || standardPort), tls };
}

function openLanes(options: LoadOptions, meter: Meter): Lane[] {
  const address = parseAddress(options.address, options.protocol === 'hj212' ? 9_212 : 1_883);
  const data = new Float64Array(options.devices);
  const qn = new Float64Array(options.devices);
  const wire = (i: number): Wire => {
    if (options.protocol === 'hj212') return hj212Wire({ data, qn });
    const { credentials } = options;
    const username = credentials?.username ?? loadGatewayId(i + 1);
    const signIn = credentials === undefined ? null : { username, password: credentials.password };
    return mqttWire(`load-lane-${i + 1}`, signIn, data);
  };
  return Array.from({ length: options.connections }, (_, i) => new Lane(address, wire(i), meter));
}

async function keepPace(options: LoadOptions, lanes: readonly Lane[], meter: Meter): Promise<void> {
  const fill = filler(options.devices, lanes, meter);
  const begun = performance.now();
  let told = begun;
  for (let now = begun; now - begun < options.seconds * SECOND_MS; now = performance.now()) {
    fill(Math.floor(((now - begun) / SECOND_MS) * options.rate));
    if (now - told >= SECOND_MS) {
      told = now;
      for (const lane of lanes) lane.repeat();
      options.onProgress?.(meter.result());
    }
    await sleep(STEP_MS);
  }
}

/**
 * Brings the number of published messages up to `due`, or as near as the windows allow. A device always speaks over the same
 * connection.
 */
function filler(devices: number, lanes: readonly Lane[], meter: Meter): (due: number) => void {
  let next = 0;
  return (due) => {
    let full = 0;
    while (meter.count() < due && full < lanes.length) {
      const device = next % devices;
      const lane = lanes[device % lanes.length];
      next += 1;
      if (lane?.hasRoom !== true) full += 1;
      else {
        full = 0;
        lane.send(device);
      }
    }
    for (const lane of lanes) lane.flush();
  };
}

async function lastAcknowledgements(lanes: readonly Lane[], patienceS: number): Promise<void> {
  const deadline = performance.now() + patienceS * SECOND_MS;
  let repeatAt = performance.now() + SECOND_MS;
  while (lanes.some((lane) => lane.inFlight > 0) && performance.now() < deadline) {
    await sleep(STEP_MS);
    if (performance.now() < repeatAt) continue;
    repeatAt += SECOND_MS;
    for (const lane of lanes) lane.repeat();
  }
}
