import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { QianliyanError } from '../../contracts/index.ts';
import { type Edition, type MonitorCounts, startMonitor } from '../../simulator/hj212/index.ts';
import {
  type LoadProtocol,
  type LoadResult,
  loadDevices,
  parseAddress,
  runLoad,
} from '../../simulator/load/index.ts';
import { numberOption } from '../options.ts';

const number = (flags: string, text: string, min: number, max: number, standard: number) =>
  new Option(flags, text)
    .argParser(numberOption(flags.split(' ')[0] ?? '', min, max, true))
    .default(standard);

export function registerSimulate(program: Command): void {
  const simulate = program.command('simulate');
  registerLoad(simulate);
  registerMonitor(simulate);
}

interface LoadFlags {
  protocol: LoadProtocol;
  broker: string;
  gateway: string;
  devices: number;
  rate: number;
  seconds: number;
  connections: number;
  patience: number;
  user?: string;
  password?: string;
  registry?: string;
}

function registerLoad(simulate: Command): void {
  simulate
    .command('load')
    .description(
      'many devices, 200-byte messages of three values, each sent until it is acknowledged; prints what was acknowledged as JSON',
    )
    .addOption(
      new Option('--protocol <name>', 'how they speak: MQTT with QoS 1, or HJ 212 over TCP')
        .choices(['mqtt', 'hj212'])
        .default('mqtt'),
    )
    .option('--broker <url>', 'MQTT address; mqtts:// for TLS', 'mqtt://127.0.0.1:1883')
    .option('--gateway <host:port>', 'address of the HJ 212 gateway', '127.0.0.1:9212')
    .addOption(number('--devices <n>', 'devices load-00001 …', 1, 1_000_000, 1000))
    .addOption(number('--rate <n>', 'messages a second over all', 1, 1_000_000, 1000))
    .addOption(number('--seconds <n>', 'how long', 1, 86_400, 10))
    .addOption(number('--connections <n>', 'connections that the devices share', 1, 10_000, 50))
    .addOption(number('--patience <n>', 'seconds that the last acknowledgements may take', 1, 3_600, 30))
    .option('--password <text>', 'MQTT: each connection signs in as its gateway load-gateway-001 … with it')
    .option('--user <name>', 'MQTT: all connections sign in as this user instead')
    .option('--registry <file>', 'only write the list of these devices, for qianliyan devices import')
    .addHelpText('after', LOAD_HELP)
    .action(load);
}

const LOAD_HELP = `
Count in = count out: write the list of devices (--registry), import it, run the load, and hold "acknowledged" (times three
values) against "qianliyan count". With --password the list holds the gateways and their password; without, the broker must
take anonymous clients (mqtt.allowAnonymous: true, loopback only). HJ 212 knows no sign-in; there a device has at most one
message a second.`;

async function load(flags: LoadFlags): Promise<void> {
  const { protocol, devices, connections, seconds, password, registry } = flags;
  if (registry !== undefined) {
    const signIn =
      password === undefined || flags.user !== undefined ? {} : { signIn: { password, connections } };
    await writeFile(registry, JSON.stringify(loadDevices(devices, { protocol, ...signIn })));
    process.stdout.write(`${registry}: ${devices} devices\n`);
    return;
  }
  const { rate, patience, user: username } = flags;
  const credentials = password === undefined ? undefined : { password, ...(username && { username }) };
  const result = await runLoad({
    protocol,
    address: protocol === 'mqtt' ? flags.broker : flags.gateway,
    devices,
    rate,
    seconds,
    connections,
    patienceS: patience,
    ...(credentials && { credentials }),
    onProgress: (p) => showProgress(p, seconds),
  }).catch((cause: unknown) => {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new QianliyanError('USAGE', text, { cause });
  });
  process.stderr.write('\n');
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.failed > 0) process.exitCode = 1;
}

function showProgress(p: LoadResult, total: number): void {
  showLine(
    `${Math.round(p.seconds)} / ${total} s   published ${p.published}   acknowledged ${p.acknowledged}   ${Math.round(p.ratePerS)} a second   p99 ${p.ackMs.p99} ms`,
  );
}

function showLine(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r${line}\x1b[K` : `${line}\n`);
}

interface MonitorFlags {
  gateway: string;
  mn: string;
  pw: string;
  st: string;
  edition: string;
  checksum: 'standard' | 'modbus';
  interval: number;
  packets: number;
  clockAhead: number;
  askForTime: boolean;
  seconds: number;
}

function registerMonitor(simulate: Command): void {
  simulate
    .command('monitor')
    .description('one HJ 212 monitor of dust: sends data, answers requests; prints what came of it as JSON')
    .option('--gateway <host:port>', 'address of the HJ 212 gateway', '127.0.0.1:9212')
    .option('--mn <text>', 'device number', 'LOAD0000000001')
    .option('--pw <text>', 'access password', '123456')
    .option('--st <code>', 'system code; 39 is construction-site dust', '39')
    .addOption(
      new Option('--edition <year>', 'edition it speaks').choices(['2005', '2017', '2025']).default('2017'),
    )
    .addOption(
      new Option('--checksum <name>', 'modbus: as some makers have it')
        .choices(['standard', 'modbus'])
        .default('standard'),
    )
    .addOption(number('--interval <s>', 'seconds between realtime data', 1, 3_600, 30))
    .addOption(number('--packets <n>', 'splits each frame into so many packets', 1, 3, 1))
    .addOption(
      number('--clock-ahead <s>', 'seconds that its clock is ahead (below 0: behind)', -86_400, 86_400, 0),
    )
    .option('--ask-for-time', 'begins with a request for the time (1013)', false)
    .addOption(number('--seconds <n>', 'how long', 1, 86_400, 60))
    .action(monitor);
}

async function monitor(flags: MonitorFlags): Promise<void> {
  const { host, port } = parseAddress(flags.gateway, 9_212);
  const { mn, pw, st, checksum, packets, seconds } = flags;
  const running = startMonitor({
    host,
    port,
    packets,
    asksForTime: flags.askForTime,
    replyTimeoutMs: 10_000,
    retries: 3,
    state: {
      mn,
      pw,
      st,
      edition: Number(flags.edition) as Edition,
      checksum,
      realtimeOn: true,
      realtimeIntervalS: flags.interval,
      minuteInterval: 1,
      clockAheadMs: flags.clockAhead * 1_000,
    },
  });
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const passed = (performance.now() - begun) / 1_000;
      showLine(`${Math.round(passed)} / ${seconds} s   ${describe(running.counts())}`);
      if (passed >= seconds) finish();
    }, 1_000);
    const finish = () => {
      clearInterval(timer);
      process.off('SIGINT', finish);
      resolve();
    };
    process.on('SIGINT', finish);
  });
  const counts = running.counts();
  await running.stop();
  process.stderr.write('\n');
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  if (counts.acknowledged === 0) process.exitCode = 1;
}

function describe({ sent, acknowledged, requests }: MonitorCounts): string {
  const asked = Object.entries(requests).map(([cn, times]) => `${cn} × ${times}`);
  return `sent ${sent}   acknowledged ${acknowledged}   asked ${asked.join(', ') || 'nothing'}`;
}
