/**
 * The anomaly detector: what no rule names. Online, one datastream at a time, no training beyond a short probation.
 *
 *   (time, value) ──▶ scorer ──score──▶ watch ──▶ finding 'anomaly', with the branch as its reason
 *                       │
 *                       ├─ novelty    how far from every value ever seen
 *                       └─ forecast   how far from what the last values lead to, on the tail of its own past
 *
 * 1. scorer.ts   rows in, digits of improbability out; rests after a peak
 * 2. branches/   one file per way to be surprised, and the calibrated tail that puts them on one scale
 * 3. watch.ts    threshold from the stated false-alarm rate; open, update, close
 * 4. summary.ts  the sentence
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
