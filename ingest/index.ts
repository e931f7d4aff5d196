/**
 * Ingest: from a device's message to a durable record.
 *
 *   entrance ──DeviceMessage──▶ accept ─▶ codec ─▶ check ─┬─▶ line ─▶ stream "observations" ─▶ series writer ─▶ series
 *   (broker, gateway)             │                       ├─▶ blobs ─▶ stream "frames"
 *                                 │                       └─▶ quarantine
 *   acknowledgement ◀──Receipt────┘  only once it is durable            ticker ─▶ line (ticks, in order)
 *
 *   1 accept.ts          what is asked of a message, in which order, with which reason it is refused
 *   2 routes.ts          topic → codec                         (codecs: devices/codecs/)
 *   3 check-readings.ts  registry, units, ranges, clock, repeats
 *   4 line.ts            the one ordered way to the stream
 *   5 pictures.ts        header, blob, frame
 *   6 quarantine.ts      what was refused, bounded; rerun.ts: once more, after the registry was put right
 *   7 series-writer.ts   stream → series store, exactly once
 *   8 liveness.ts        who speaks: online, silent, gone, as events on the line
 *   9 count.ts           in against out
 */
export * from './accept.ts';
export * from './api.ts';
export * from './config.ts';
export * from './count.ts';
export * from './ingest.ts';
export * from './liveness-words.ts';
export * from './quarantine.ts';
export * from './quarantine-look.ts';
export { dismissEntry } from './quarantine-resolve.ts';
export * from './receipt.ts';
export * from './rerun.ts';
export * from './rerun-report.ts';
export * from './status.ts';
export { ingestMigrations } from './tables.ts';
