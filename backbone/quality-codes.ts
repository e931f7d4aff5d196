import type { Quality } from '../contracts/index.ts';

/** Qualities as they are stored: a code never changes its meaning, whatever the order of the enum. */
export const QUALITY_CODES: Readonly<Record<Quality, number>> = {
  valid: 0,
  stopped: 1,
  maintenance: 2,
  manual: 3,
  fault: 4,
  calibration: 5,
  'over-range': 6,
  'comms-error': 7,
  unknown: 8,
};

/** By code. */
const QUALITIES: readonly Quality[] = Object.entries(QUALITY_CODES)
  .sort(([, a], [, b]) => a - b)
  .map(([quality]) => quality as Quality);

export function qualityOf(code: number): Quality {
  return QUALITIES[code] ?? 'unknown';
}
