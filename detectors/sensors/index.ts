/**
 * Sensor detection: observations in, findings out.
 *
 *   stream `observations` ─▶ runtime ─▶ partition ─▶ routing ─▶ watches of the detectors ─▶ ledger ─▶ stream `findings`
 *                                          └─ snapshot ─▶ checkpoint
 *
 *  1. detector.ts    the shape of every detector: pure watches, time from the data
 *  2. config.ts      which detectors run, and how; all of them without any configuration
 *  3. routing.ts     the core: each observation to the watches of its datastream, each tick to those that are due
 *  4. entries.ts     what is attached where; schedule.ts: who is due when; attention.ts: were we listening
 *  5. ledger.ts      words into findings: ids, revisions, how often
 *  6. snapshot.ts    the state of all watches at one position, taken in slices
 *  7. partition.ts   findings are durable before the checkpoint is
 *  8. runtime.ts     the subscription, health, counts, metrics
 *
 *  limits/  early-warning/  stuck/  silence/  anomaly/: one detector each, all of the same shape.
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
