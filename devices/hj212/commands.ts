import type { Statistic } from '../../contracts/index.ts';

/** What a command code (CN) makes of a frame. */
export type Meaning =
  /** It carries values of that statistic. */
  | { kind: 'values'; statistic: Statistic }
  /** Sound, and holds nothing to keep: heartbeats, replies, notifications, parameters. */
  | { kind: 'nothing' }
  /** It carries data that no observation can say honestly. */
  | { kind: 'unmapped'; why: string };

const VALUES: Readonly<Record<string, Statistic>> = {
  2011: 'instant',
  /** Status of treatment equipment, SBxxx-RS. */
  2021: 'instant',
  2031: 'day',
  /** Run time of treatment equipment in a day, SBxxx-RT. */
  2041: 'day',
  2051: 'minute',
  2061: 'hour',
  /** 2025, furnace temperature as 5-minute means: 2051 is of 1 to 30 minutes too. */
  2111: 'minute',
};

/** Data commands that hold no values. */
const NOTHING = new Set(['2012', '2022', '2081']);

const UNMAPPED: Readonly<Record<string, string>> = {
  2013: 'raw data of an instrument (2025: VOC peaks) are no value of a property',
  2052: 'a single noise measurement (2025) is of a length that its text, which was not read, would tell',
  2062: 'an automatic check with a standard (2025) measures the standard, not what is discharged',
};

/** 1xxx parameters, 2xxx data, 3xxx control, 9xxx interaction. */
export function meaningOf(cn: string): Meaning {
  const statistic = VALUES[cn];
  if (statistic !== undefined) return { kind: 'values', statistic };
  if (NOTHING.has(cn) || /^[19]\d{3}$/.test(cn)) return { kind: 'nothing' };
  const why =
    UNMAPPED[cn] ??
    (cn.startsWith('3') ? 'states and parameters of instruments are no readings' : 'it is not known');
  return { kind: 'unmapped', why };
}
