import { startIngestNode } from '../../bench/support/ingest-node.ts';

/** The process that the kill drill kills: devices and ingest on the embedded stores of one folder, on one port. */
const [folder, port, devices] = process.argv.slice(2);
if (folder === undefined || port === undefined || devices === undefined)
  throw new Error('folder port devices');

const node = await startIngestNode({
  folder,
  broker: { port: Number(port) },
  devices: Array.from({ length: Number(devices) }, (_, i) => ({
    id: `d-${i}`,
    template: 'noise',
    site: 'drill',
    location: [123.4, 41.8],
  })),
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
