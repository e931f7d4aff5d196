import { pino } from 'pino';
import type { Series } from '../../backbone/index.ts';
import { startIngestNode } from '../../bench/support/ingest-node.ts';
import type { ChildAnswer, ChildOrder } from './child.ts';

/**
 * The process that the drills hurt: devices and ingest on the embedded stores of one folder, on one port. Its parent may
 * take the series store away from it, and asks how much memory it holds.
 */
const [folder, port, devices] = process.argv.slice(2);
if (folder === undefined || port === undefined || devices === undefined)
  throw new Error('folder port devices');

let seriesAway = false;

/** A series store that does not answer writes while it is away. */
function breakable(series: Series): Series {
  const write: Series['write'] = (points, position) =>
    seriesAway
      ? Promise.reject(new Error('the series store is away (a drill)'))
      : series.write(points, position);
  return new Proxy(series, {
    get(target, name) {
      if (name === 'write') return write;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const node = await startIngestNode({
  folder,
  log: pino({ level: 'error' }, pino.destination(2)),
  broker: { port: Number(port) },
  wrapSeries: breakable,
  devices: Array.from({ length: Number(devices) }, (_, i) => ({
    id: `d-${i}`,
    template: 'noise',
    site: 'drill',
    location: [123.4, 41.8],
  })),
});

async function obey(order: ChildOrder): Promise<ChildAnswer> {
  if (order.type === 'series') seriesAway = order.away;
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heldMb: (heapUsed + external) / 1e6, rssMb: rss / 1e6, pending: (await node.count()).pending };
}

process.on('message', (order: ChildOrder) => {
  void obey(order).then((answer) => process.send?.(answer));
});
process.on('SIGTERM', () => {
  node.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
console.log('ready');
