import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { expect } from 'vitest';
import { manualClock } from '../../../backbone/clock.ts';
import { projectRoot } from '../../../backbone/project-root.ts';
import { Device, type RegisteredDevice } from '../../../contracts/index.ts';
import type { DeviceMessage } from '../../message.ts';
import { Hj212GatewayConfig } from '../config.ts';
import { type Hj212Gateway, startHj212Gateway } from '../gateway.ts';
import type { AcceptOutcome } from '../storing.ts';

/**
 * The gateway on a real socket. The other side is a foreign one: tests/foreign/hj212_device.py has its own framing and
 * checksum. Storage is played by the test.
 */
export const MN = '010000A8900016F000169DC0';
export const OTHER_MN = '88888880000001';
export const MODBUS_MN = 'MODBUS0000001';
/** 2026-11-22 12:00:00 in Beijing. */
export const NOW = Date.UTC(2026, 10, 22, 4, 0, 0);
export const TAKEN: AcceptOutcome = { outcome: 'accepted', reason: null };

const device = (id: string, mn: string, hj212: object = {}): RegisteredDevice => ({
  ...Device.parse({
    id,
    kind: 'sensor',
    name: { zh: id, en: id },
    site: 'site-1',
    location: [123.41, 41.8],
    addresses: [`hj212:${mn}`],
    hj212,
  }),
  version: 1,
  since: 0,
});
const devices = [
  device('dust-01', MN),
  device('dust-02', OTHER_MN, { maxSegmentBytes: 4_000 }),
  device('dust-03', MODBUS_MN, { crc: 'modbus' }),
];
export const directory = {
  find: (name: string) => devices.find((d) => d.id === name || d.addresses.includes(name)),
};

export interface Stage {
  gateway: Hj212Gateway;
  metrics: Metrics;
  received: DeviceMessage[];
  sessions: string[];
  /** What storage does with a message; a test may put its own here. */
  store: (message: DeviceMessage) => Promise<AcceptOutcome>;
  /** A foreign monitor, connected. */
  monitor(...options: string[]): Promise<Monitor>;
  rawSocket(): Promise<Socket>;
  close(): Promise<void>;
}

export async function startStage(config: object = {}): Promise<Stage> {
  const metrics = new Metrics();
  const received: DeviceMessage[] = [];
  const sessions: string[] = [];
  const processes: ChildProcess[] = [];
  const sockets: Socket[] = [];
  const gateway = await startHj212Gateway(Hj212GatewayConfig.parse({ port: 0, ...config }), {
    directory,
    accept(message) {
      received.push(message);
      return stage.store(message);
    },
    session: (id, event) => sessions.push(`${id} ${event}`),
    clock: manualClock(NOW),
    log: pino({ level: 'silent' }),
    metrics,
    utcOffsetMs: 8 * 3_600_000,
  });
  const stage: Stage = {
    gateway,
    metrics,
    received,
    sessions,
    store: async () => TAKEN,
    async monitor(...options) {
      const before = gateway.connections();
      const one = startMonitor(gateway.port, options);
      processes.push(one.process);
      await until(() => gateway.connections() > before);
      return one;
    },
    async rawSocket() {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'connect');
      return socket;
    },
    async close() {
      for (const process of processes) process.kill('SIGKILL');
      for (const socket of sockets) socket.destroy();
      await gateway.stop();
    },
  };
  return stage;
}

interface Heard {
  segment?: string;
  crcOk?: boolean;
  crc?: string;
  closed?: boolean;
}

export interface Monitor {
  process: ChildProcess;
  heard: Heard[];
  /** See the script for what it takes. */
  tell(order: object): void;
  /** The CN of each frame heard. */
  cns(): string[];
}

function startMonitor(port: number, options: readonly string[]): Monitor {
  const script = join(projectRoot, 'tests', 'foreign', 'hj212_device.py');
  const process = spawn('python3', [script, String(port), ...options]);
  const heard: Heard[] = [];
  createInterface({ input: process.stdout }).on('line', (line) => heard.push(JSON.parse(line)));
  return {
    process,
    heard,
    tell: (order) => process.stdin.write(`${JSON.stringify(order)}\n`),
    cns: () => heard.flatMap(({ segment }) => /CN=(\d{4})/.exec(segment ?? '')?.[1] ?? []),
  };
}

export async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !holds(); i++) await pause(10);
  expect(holds()).toBe(true);
}

let lastQn = 0;
const newQn = () => `20261122115959${String(++lastQn).padStart(3, '0')}`;

/** A data segment of realtime data. */
export function realtime(flag = 5, mn = MN, qn = newQn()): string {
  return `QN=${qn};ST=39;CN=2011;PW=123456;MN=${mn};Flag=${flag};CP=&&DataTime=20261122115959;a34002-Rtd=62.7,a34002-Flag=N&&`;
}

export function qnOf(segment: string | undefined): string | undefined {
  return /QN=(\d{17})/.exec(segment ?? '')?.[1];
}
