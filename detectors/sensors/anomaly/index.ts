/**
 * The anomaly detector: what no rule names. Online, one datastream at a time, no training beyond a short probation.
 *
 *   (time, value) ──▶ novelty  how far from every value ever seen ───────────────┐
 *                 ──▶ change   forecast's miss ─▶ over restlessness ─▶ its tail ─┼─▶ digits ─▶ watch ─▶ finding
 *                 ──▶ daily    unlike the same hours of any day before ──────────┘     └─ rest ─▶ score
 *
 * 1. scorer.ts     rows in, digits of improbability out; rests after a peak
 * 2. branches/     one file per way to be surprised, and the calibrated tail that puts them on one scale
 * 3. memory.ts     the fixed block of numbers that all of it lives in
 * 4. threshold.ts  from a stated false-alarm rate to a score; the frozen threshold of labelled series
 * 5. watch.ts      open at once or when it lasts, update, close
 * 6. summary.ts    the sentence
 */
import type { SensorDetector } from '../detector.ts';
import { AnomalyParams } from './config.ts';
import { AnomalyWatch } from './watch.ts';

export { AnomalyParams } from './config.ts';
export {
  createScorer,
  FULL_DIGITS,
  PROBATION_ROWS,
  SCORER_BYTES,
  type Scorer,
  type Surprise,
} from './scorer.ts';
export { FROZEN_THRESHOLD, thresholdFor } from './threshold.ts';

export const anomalyDetector: SensorDetector<AnomalyParams> = {
  name: 'anomaly',
  version: '1',
  params: AnomalyParams,
  attach: (context, params) => (params.enabled ? new AnomalyWatch(context, params) : null),
};
