import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { wallClock } from '../../backbone/index.ts';
import { startIngestNode } from '../../bench/support/ingest-node.ts';
import { Hj212GatewayConfig, startHj212Gateway } from '../../devices/hj212-gateway/index.ts';
import { loadDevices } from '../../simulator/load/index.ts';

/** Ingest and the HJ 212 gateway in a process of its own, to be killed: FOLDER PORT DEVICES. Tells its port over IPC. */
const [folder = '', port = '0', devices = '1'] = process.argv.slice(2);

const node = await startIngestNode({ folder, devices: loadDevices(Number(devices), { protocol: 'hj212' }) });
const gateway = await startHj212Gateway(Hj212GatewayConfig.parse({ port: Number(port) }), {
  directory: node.registry,
  accept: (message) => node.ingest.accept(message),
  session: (device, event) => void node.ingest.session(device, event),
  clock: wallClock,
  log: pino({ level: 'silent' }),
  metrics: new Metrics(),
  utcOffsetMs: 8 * 3_600_000,
});
process.send?.(gateway.port);
process.once('disconnect', () => process.exit(0));
