/**
 * An honest stranger: plays whole fleets with known violations against the product, over the wire only, and scores what
 * it says. Knows nothing of the product but contracts/ and its public interfaces (MQTT, HTTP, webhooks).
 *
 *   district/  who is there            sources/  what is physically so      scenarios/  what goes wrong, and the truth
 *        └───────────────┬──────────────────┴────────────┬──────────────────────┘             │
 *                     fleet.ts  messages over simulated time                                   │
 *                        ├──▶ live/      real time, real sockets ──MQTT──▶ ┌─────────┐         │
 *                        └──▶ (full speed: iterate playFleet yourself)     │ product │         ▼
 *                                              case-system/ ◀──webhook──── │         │ ──SSE─▶ observe.ts ──▶ report.ts
 *                                 load/, hj212/ ──MQTT, HJ 212 over TCP──▶ └─────────┘
 *
 * 1. `districtDevices()`, `demoScenario(origin, devices)`: who, and what happens to them
 * 2. `startCaseSystem(…)`, then the product, then `observe({ url })`: receivers before senders
 * 3. `startSimulator(…)`: the fleet speaks
 * 4. `simulator.stop()`, then `observer.counts()`, then `buildReport(…)`: how well it was found
 */
export * from './case-system/index.ts';
export * from './district/index.ts';
export * from './fleet.ts';
export * from './hj212/index.ts';
export * from './live/index.ts';
export * from './load/index.ts';
export * from './observe.ts';
export * from './report.ts';
export * from './scenarios/index.ts';
export { type ClockSetting, simulatedTime } from './time.ts';
export { writeTruth } from './truth-file.ts';
