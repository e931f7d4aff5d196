/**
 * The HJ 212 gateway: a TCP port that real monitors are pointed at.
 *
 *   monitor ══TCP══▶ connection ─▶ FrameSplitter ─▶ accept() ─▶ durable ─▶ 9014 / 9013 ══▶ monitor
 *                        │ by MN: session, link                   │
 *                        │                          1013 ─▶ 9013 ─▶ 1012 (set the clock)
 *                        ▼                                        │
 *   person ──HTTP──▶ requests ══ 1011, 1012, 1062, 2051 … ══▶ monitor ══ 9011, data, 9012 ══▶ requests ──▶ person
 *
 *   1 config.ts      where to listen, who may connect, what may wait
 *   2 gateway.ts     the port, and what belongs to all connections
 *   3 connection.ts  bytes in, frames to ingest, answers out; bounded     head.ts, storing.ts, answers.ts, read-gate.ts, outbox.ts
 *   4 links.ts       which connection carries which device                sessions.ts
 *   5 requests.ts    dialogues that we begin                              commands.ts, results.ts
 *   6 api.ts         the same for people
 *
 * HJ 212 proves nothing about who speaks: MN and PW are clear text that anybody can send. See docs/hj212.md.
 */
export * from './api.ts';
export { Hj212Request } from './commands.ts';
export { Hj212GatewayConfig } from './config.ts';
export * from './gateway.ts';
export type { RequestOutcome, RequestResult } from './requests.ts';
export type { AcceptOutcome } from './storing.ts';
