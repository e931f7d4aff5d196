import type {
  Hj212Profile,
  Quality,
  QuarantineReason,
  RegisteredDevice,
  Statistic,
} from '../../contracts/index.ts';
import { type Hj212Item, timeOf } from './cp.ts';
import { type Factor, type FactorTable, factorOf } from './factors.ts';
import { qualityOf } from './flags.ts';
import type { Edition } from './head.ts';

/**
 * Items of a data frame as values of observed properties.
 *
 *   a21026-Rtd=1.2 in realtime, a21026-Avg=1.2 in minute, hour, day data ─▶ SO2           the value itself
 *   a21026-Min, -Max, -Cou, …                                            ─▶ SO2-Min …     beside it, under its own name
 *   a21026-ZsRtd / -ZsAvg, -ZsMin, -ZsMax (converted to reference O2)    ─▶ SO2-Zs, SO2-ZsMin …
 *   Leq-Data, -DayData, -NightData (noise)                               ─▶ LAeq, LAeq-DayData, LAeq-NightData
 *   SB1-RS, SB1-RT (treatment equipment)                                 ─▶ SB1-RS, SB1-RT
 *
 * Promises: nothing is guessed, and nothing is lost in silence: what no value comes of is rejected by name, but for what
 * the standard sends beside values (sample time, error flag). A time is where the period begins, whatever its maker stamps.
 */
export interface Value {
  property: string;
  statistic: Statistic;
  time: number;
  value: number;
  /** UCUM, as the table or the device's profile states it; null: the registry's holds. */
  unit: string | null;
  quality: Quality;
}

export interface Refused {
  reason: QuarantineReason;
  detail: string;
}

export interface Frame {
  edition: Edition;
  st: string | null;
  dataTime: string | null;
  items: readonly Hj212Item[];
  statistic: Statistic;
}

export interface ReadingRules {
  profile: Pick<Hj212Profile, 'factors' | 'stamps'>;
  device: RegisteredDevice | undefined;
  table: FactorTable;
  /** Of DataTime, which names no zone: Beijing time. */
  utcOffsetMs: number;
}

/** Sent beside values, and none themselves. */
const BESIDE = new Set(['SampleTime', 'EFlag']);
/** Fields without a factor that data frames may hold beside values. */
const PARAMETERS = new Set([
  'Flag',
  'BeginTime',
  'EndTime',
  'PolId',
  'QN',
  'RtdInterval',
  'MinInterval',
  'RestartTime',
]);
const ITSELF: Record<'instant' | 'period', readonly string[]> = {
  instant: ['Rtd', 'Data'],
  period: ['Avg', 'Data'],
};
const KNOWN_FIELDS = new Set(['Rtd', 'Min', 'Avg', 'Max', 'Cou', 'Data', 'DayData', 'NightData']);
const PERIOD_MS: Record<Statistic, number> = { instant: 0, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

export function toReadings(frame: Frame, rules: ReadingRules): { readings: Value[]; rejected: Refused[] } {
  const readings: Value[] = [];
  const rejected: Refused[] = [];
  for (const item of frame.items) {
    if (item.field === null ? PARAMETERS.has(item.code) : BESIDE.has(item.field)) continue;
    const said = meaningOf(item, frame, rules);
    if ('reason' in said) rejected.push(said);
    else readings.push(said);
  }
  return { readings, rejected };
}

function meaningOf(item: Hj212Item, frame: Frame, rules: ReadingRules): Value | Refused {
  const name = item.field === null ? item.code : `${item.code}-${item.field}`;
  const stamp = item.dataTime ?? frame.dataTime;
  const at = stamp === null ? null : timeOf(stamp);
  if (at === null) return refused('malformed', `${name}: there is no DataTime that it could be of`);
  const meant = propertyOf(item, frame, rules, at - rules.utcOffsetMs);
  if ('reason' in meant) return meant;
  const value = numberOf(item.value);
  if (value === null) return refused('value-not-finite', `${name}: ${shown(item.value)} is not a number`);
  const { property, unit } = meant;
  const { statistic } = frame;
  const time = at - rules.utcOffsetMs - stampedLate(property, statistic, rules);
  return { property, statistic, time, value, unit, quality: qualityOf(item.flag, frame.edition) };
}

function propertyOf(
  { code, field, value }: Hj212Item,
  { st, statistic }: Frame,
  { profile, table }: ReadingRules,
  at: number,
): { property: string; unit: string | null } | Refused {
  if (/^SB\d+$/.test(code) && (field === 'RS' || field === 'RT'))
    return { property: `${code}-${field}`, unit: field === 'RT' ? 'h' : null };
  const factor = factorOf(code, st, at, profile, table);
  if (factor === undefined) {
    const system = st === null ? '' : ` for ST=${st}`;
    const help = 'the device’s hj212.factors may say which property it is';
    const said = `${code}${field === null ? '' : `-${field}`}=${shown(value)}`;
    return refused(
      'property-undeclared',
      `${said}: code ${code} is not in the factor table${system}; ${help}`,
    );
  }
  const [converted, plain] = field?.startsWith('Zs') ? ['-Zs', field.slice(2)] : ['', field ?? ''];
  if (!KNOWN_FIELDS.has(plain))
    return refused(
      'property-undeclared',
      `${code}-${field ?? ''}: no value is known by this field of ${factor.property}`,
    );
  return { property: factor.property + suffixOf(converted, plain, statistic), unit: unitOf(factor, plain) };
}

function suffixOf(converted: string, plain: string, statistic: Statistic): string {
  if (ITSELF[statistic === 'instant' ? 'instant' : 'period'].includes(plain)) return converted;
  return converted === '' ? `-${plain}` : `${converted}${plain}`;
}

function unitOf(factor: Factor, field: string): string | null {
  return field === 'Cou' ? factor.total : factor.unit;
}

/** How far DataTime lies behind the beginning of what it is the time of. */
function stampedLate(property: string, statistic: Statistic, { profile, device }: ReadingRules): number {
  if (statistic === 'instant' || profile.stamps === 'period-start') return 0;
  if (statistic !== 'minute') return PERIOD_MS[statistic];
  // "Minute" data are of 1 to 30 minutes (CN 1063): the registry says of how many.
  const stream = device?.datastreams.find((one) => one.property === property && one.statistic === 'minute');
  return stream === undefined ? PERIOD_MS.minute : (stream.averagingS ?? stream.intervalS) * 1_000;
}

function numberOf(text: string): number | null {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

function refused(reason: QuarantineReason, detail: string): Refused {
  return { reason, detail };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
