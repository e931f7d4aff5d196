import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Registry as Metrics } from 'prom-client';
import { explainListenError } from '../../backbone/http.ts';
import type { Clock, DeviceDirectory, Log } from '../../backbone/index.ts';
import { QianliyanError, type RegisteredDevice } from '../../contracts/index.ts';
import type { DeviceMessage, SessionEvent } from '../message.ts';
import { type Hj212Request, parseLocalTime } from './commands.ts';
import { allowedSources, type Hj212GatewayConfig } from './config.ts';
import { Connection, type SoundFrame } from './connection.ts';
import { Intake } from './intake.ts';
import { Links } from './links.ts';
import { gatewayMeters } from './meters.ts';
import { Outage } from './outage.ts';
import { type Link, type RequestResult, Requests } from './requests.ts';
import { Sessions } from './sessions.ts';
import type { AcceptOutcome } from './storing.ts';

/** The HJ 212 gateway at work. */
export interface Hj212Gateway {
  readonly port: number;
  connections(): number;
  /**
   * Asks a device (id or address) that is connected, and waits for what it says; the promise then never rejects.
   * @throws QianliyanError NOT_FOUND (no such device, or it has no MN), ILLEGAL_TRANSITION (not connected), TOO_MANY_REQUESTS
   */
  request(device: string, request: Hj212Request): Promise<Hj212RequestResult>;
  health(): { ok: boolean; problems: string[] };
  /** Reads no more, answers what is under way, closes. Requests end with `connection-lost`. */
  stop(): Promise<void>;
}

export interface Hj212RequestResult extends RequestResult {
  device: string;
  /** Of 1011: seconds that the device's clock is ahead of the product's, within what the answer took to travel. */
  clockOffS: number | null;
}

export interface Hj212GatewayDeps {
  directory: Pick<DeviceDirectory, 'find'>;
  /** Resolves when the message is durable, wherever it went (store or quarantine); rejects when it is not. */
  accept(message: DeviceMessage): Promise<AcceptOutcome>;
  /** Sessions of registered devices. Failures are the receiver's to report. */
  session(device: string, event: SessionEvent): void;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** Of the times that devices write: HJ 212 states no zone. */
  utcOffsetMs: number;
}

const STOP_PATIENCE_MS = 5_000;

/** @throws QianliyanError PORT_IN_USE */
export async function startHj212Gateway(
  config: Hj212GatewayConfig,
  deps: Hj212GatewayDeps,
): Promise<Hj212Gateway> {
  const { directory, clock, log, utcOffsetMs } = deps;
  const connections = new Set<Connection>();
  const sessions = new Sessions(deps.session);
  const links = new Links(sessions);
  const intake = new Intake(config.maxInFlightBytes);
  const requests = new Requests({ ...config, utcOffsetMs, now: () => clock.now() });
  const sources = allowedSources(config);
  const outage = new Outage(log);
  const meters = gatewayMeters(deps.metrics, {
    connections: () => connections.size,
    devices: () => sessions.size,
    waitingBytes: () => intake.bytes,
  });
  let stopping = false;

  function heard(connection: Connection, frame: SoundFrame): void {
    if (frame.device === undefined) return;
    links.heard(connection, frame, frame.device);
    requests.hear(frame.mn, frame.head, frame.segment);
  }

  /** 1013: the device asks for the time. It was told that we heard (9013); now its clock is set. */
  function stored(_connection: Connection, { mn, head, device }: SoundFrame): void {
    if (head.cn !== '1013' || device === undefined || !config.answerTimeRequests) return;
    const link = links.get(mn);
    if (link === undefined || stopping || requests.isPending(mn, '1012')) return;
    ask(device.id, link, { cn: '1012' }).catch((error: unknown) =>
      log.warn({ err: error, device: device.id }, 'the clock of a device was not set'),
    );
  }

  function closed(connection: Connection, farewell: boolean): void {
    connections.delete(connection);
    if (stopping) return;
    const gone = links.closed(connection, farewell);
    if (gone.size > 0) requests.lost((link) => gone.has(link.mn));
  }

  async function ask(device: string, link: Link, request: Hj212Request): Promise<Hj212RequestResult> {
    const result = await requests.send(link, request);
    const { mn, cn, outcome, qnRtn, exeRtn } = result;
    meters.requests.inc({ cn, outcome });
    log.info({ device, mn, cn, outcome, qnRtn, exeRtn }, 'HJ 212 request');
    return { ...result, device, clockOffS: clockOff(result) };
  }

  function clockOff({ cn, answer }: RequestResult): number | null {
    const shown = cn === '1011' ? parseLocalTime(answer.SystemTime ?? '', utcOffsetMs) : null;
    return shown === null ? null : Math.round((shown - clock.now()) / 1_000);
  }

  function welcome(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const allowed = sources?.check(address, socket.remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4') ?? true;
    if (stopping || !allowed) {
      if (!allowed) meters.ended.inc({ reason: 'address-not-allowed' });
      socket.destroy();
      return;
    }
    const find = (mn: string) => directory.find(`hj212:${mn}`);
    const { accept } = deps;
    const parts = { config, accept, intake, meters, log, find, outage, heard, stored, closed };
    connections.add(new Connection(socket, parts));
  }

  const server = await listen(config, welcome);
  server.on('drop', () => meters.ended.inc({ reason: 'too-many-connections' }));
  const { port } = server.address() as AddressInfo;
  log.info({ host: config.host, port }, 'HJ 212 gateway listens');

  return {
    port,
    connections: () => connections.size,
    async request(name, request) {
      const device = directory.find(name);
      if (device === undefined) throw new QianliyanError('NOT_FOUND', `no device ${name} in the registry`);
      const link = linkOf(device, links);
      const result = await ask(device.id, link, request);
      return result;
    },
    health: () => ({
      ok: !outage.lasts,
      problems: outage.lasts
        ? ['HJ 212 frames cannot be stored: devices get no answer and send them again']
        : [],
    }),
    async stop() {
      stopping = true;
      const unbound = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...connections].map((connection) => connection.stop(STOP_PATIENCE_MS)));
      requests.lost(() => true);
      await unbound;
    },
  };
}

/** The way to a device: of its MNs, one that is connected. */
function linkOf(device: RegisteredDevice, links: Links): Link {
  const mns = device.addresses.filter((a) => a.startsWith('hj212:')).map((a) => a.slice('hj212:'.length));
  if (mns.length === 0)
    throw new QianliyanError('NOT_FOUND', `device ${device.id} has no address hj212:<MN>`);
  const link = mns.map((mn) => links.get(mn)).find((one) => one !== undefined);
  if (link === undefined)
    throw new QianliyanError(
      'ILLEGAL_TRANSITION',
      `device ${device.id} is not connected to the HJ 212 gateway`,
    );
  return link;
}

async function listen(config: Hj212GatewayConfig, welcome: (socket: Socket) => void): Promise<Server> {
  // Half open: a device may close its side and still wait for answers.
  const server = createServer({ noDelay: true, allowHalfOpen: true }, welcome);
  server.maxConnections = config.maxConnections;
  const where = { host: config.host, port: config.port ?? 0 };
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: unknown) =>
      reject(explainListenError(error, 'the HJ 212 gateway', `${where.host}:${where.port}`, 'hj212.port')),
    );
    server.listen({ ...where, backlog: 1_024 }, resolve);
  });
  return server;
}
