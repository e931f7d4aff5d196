/**
 * Sensor detection: observations in, findings out.
 *
 *   stream `observations` ─▶ runtime ─▶ partition ─▶ routing ─▶ watches of the detectors ─▶ telling ─▶ stream `findings`
 *                                          │           ├─ following: whose watches      └─▶ waking: who wants a tick
 *                                          │           └─ placing: where in time
 *                                          └─ snapshot ─▶ checkpoint
 *
 *   1. detector.ts    the shape of every detector: pure watches, time from the data
 *   2. config.ts      which detectors run, and how; all of them without any configuration. plan.ts: one of them, ready
 *   3. routing.ts     the core: each observation to the watches of its datastream, each tick to those that are due
 *   4. following.ts   the devices, in the version that holds: enter, settle, attach again, drop
 *   5. attaching.ts   plans into watches, state from old watches to new; entries.ts: what is held; region.ts: whose law
 *   6. placing.ts     which datastream an observation is of, and whether it is next, a repeat or late
 *   7. waking.ts      whose turn it is in a tick; schedule.ts: due times; attention.ts: were we listening
 *   8. telling.ts     lets watches speak; ledger.ts: words into findings (ids, revisions, how often); wording.ts: numbers
 *                     and times in sentences; tally.ts, metrics.ts: counts
 *   9. snapshot.ts    the state of all watches at one position, taken in slices
 *  10. partition.ts   findings are durable before the checkpoint is
 *  11. runtime.ts     the subscription, health, counts; here it starts and stops
 *
 *  limits/  early-warning/  stuck/  silence/  anomaly/: one detector each, all of the same shape.
 *  testing/: what the tests share.
 */
export { DETECTORS, SensorDetectorConfig, SensorDetectorsConfig } from './config.ts';
export * from './detector.ts';
export {
  SENSOR_GROUP,
  type SensorDetectors,
  type SensorDetectorsCounts,
  type SensorDetectorsDeps,
  type SensorDetectorsHealth,
  startSensorDetectors,
} from './runtime.ts';
