/**
 * What one machine embeds and many machines share: one port and two adapters each.
 *
 *   stream   ordered per key, durable on append, replayable       LMDB    | Kafka
 *   series   idempotent points, range, latest, windows            DuckDB  | InfluxDB
 *   records  devices, alerts, cases, outbox, audit                SQLite  | PostgreSQL
 *   blobs    pictures and evidence by SHA-256                     folder  | S3
 *
 * Ports are the `port.ts` of each folder; every stage takes ports, never adapters.
 */
export * from './blobs/port.ts';
export * from './clock.ts';
export * from './directory.ts';
export * from './log.ts';
export * from './records/port.ts';
export { PointTable } from './series/point-table.ts';
export * from './series/port.ts';
export * from './stream/port.ts';
