import type { Quality } from '../../contracts/index.ts';
import type { Edition } from './head.ts';

/** Data flags, HJ 212-2017 table 8. */
const QUALITY: Readonly<Record<string, Quality>> = {
  N: 'valid',
  F: 'stopped',
  M: 'maintenance',
  S: 'manual',
  D: 'fault',
  C: 'calibration',
  T: 'over-range',
  B: 'comms-error',
};

/**
 * What a data flag says of a value. A flag that is missing, or that the table does not have (digits of 2005's air stations,
 * small letters, words), is unknown: never taken for N. P, a power fault, is 2005's alone (background knowledge).
 */
export function qualityOf(flag: string | null, edition: Edition): Quality {
  if (flag === 'P' && edition === 2005) return 'fault';
  return (flag !== null && Object.hasOwn(QUALITY, flag) && QUALITY[flag]) || 'unknown';
}
