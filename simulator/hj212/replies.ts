import { MINUTE, SECOND, UTC_OFFSET_MS } from '../time.ts';
import { type Checksum, frameOf, type HostFrame } from './frame.ts';
import { valuesAt } from './values.ts';

/** A monitor's identity on the wire, and what the host may change of it. */
export interface MonitorState {
  mn: string;
  pw: string;
  /** System code: 39 is construction-site dust. */
  st: string;
  edition: Edition;
  checksum: Checksum;
  realtimeOn: boolean;
  realtimeIntervalS: number;
  minuteInterval: number;
  /** Ms that its clock is ahead of the true time. */
  clockAheadMs: number;
}
export type Edition = 2005 | 2017 | 2025;

/** Flag without its two low bits. */
export const VERSION_BITS: Record<Edition, number> = { 2005: 0, 2017: 4, 2025: 8 };

/** As monitors write times: Beijing time, no zone. */
export function stamp(time: number, digits: 14 | 17 = 14): string {
  const second = Math.floor(time / SECOND);
  // Writing a date is dear, and most are of the same second.
  if (second !== stamped.second) {
    const text = new Date(second * SECOND + UTC_OFFSET_MS).toISOString().replace(/\D/g, '').slice(0, 14);
    stamped = { second, text };
  }
  return digits === 14 ? stamped.text : stamped.text + String(time - second * SECOND).padStart(3, '0');
}

let stamped = { second: Number.NaN, text: '' };

function unstamp(text: string): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(text)?.map(Number) ?? [];
  return Date.UTC(y ?? 1970, (mo ?? 1) - 1, d, h, mi, s) - UTC_OFFSET_MS;
}

/** History is told for so many periods at most, as loggers do that have no more memory. */
const MOST_PERIODS = 200;

/** What the host asks for, carried out; the frames that answer it, in order. `now` is the true time. */
export function repliesTo(request: HostFrame, state: MonitorState, now: number): Buffer[] {
  const cn = request.head.get('CN') ?? '';
  // A reply of the host asks for nothing.
  if (cn.startsWith('9')) return [];
  const reply = (number: string, cp: string) => say(state, request, { cn: number, st: '91', cp });
  const data = (cp: string) => say(state, request, { cn, st: state.st, cp });
  const done = (...frames: Buffer[]) => [reply('9011', 'QnRtn=1'), ...frames, reply('9012', 'ExeRtn=1')];
  const wrong = wrongIn(request, state);
  if (wrong !== null) return [reply('9011', `QnRtn=${wrong}`)];
  switch (cn) {
    case '1011':
      return done(data(`SystemTime=${stamp(now + state.clockAheadMs)}`));
    case '1012':
      state.clockAheadMs = unstamp(request.cp.get('SystemTime') ?? '') - now;
      return done();
    case '1061':
      return done(data(`RtdInterval=${state.realtimeIntervalS}`));
    case '1062':
      state.realtimeIntervalS = Number(request.cp.get('RtdInterval'));
      return done();
    case '1063':
      return done(data(`MinInterval=${state.minuteInterval}`));
    case '1064':
      state.minuteInterval = Number(request.cp.get('MinInterval'));
      return done();
    case '2011':
      state.realtimeOn = true;
      return done();
    case '2012':
      state.realtimeOn = false;
      return [reply('9013', '')];
    case '2051':
    case '2061':
    case '2031': {
      const told = history(request, state, now);
      if (told.length === 0) return [reply('9011', 'QnRtn=1'), reply('9012', 'ExeRtn=100')];
      return done(...told.map(data));
    }
    default:
      return [reply('9011', 'QnRtn=8')];
  }
}

/** QnRtn of a request that is not for this monitor. */
function wrongIn(request: HostFrame, state: MonitorState): 3 | 4 | null {
  if (request.head.get('MN') !== state.mn) return 4;
  return request.head.get('PW') === state.pw ? null : 3;
}

function history(request: HostFrame, state: MonitorState, now: number): string[] {
  const cn = request.head.get('CN');
  const period =
    cn === '2051' ? state.minuteInterval * MINUTE : cn === '2061' ? 60 * MINUTE : 24 * 60 * MINUTE;
  const from = unstamp(request.cp.get('BeginTime') ?? '');
  const to = Math.min(unstamp(request.cp.get('EndTime') ?? ''), now - period);
  const told: string[] = [];
  const first = Math.ceil((from + UTC_OFFSET_MS) / period) * period - UTC_OFFSET_MS;
  for (let time = first; time <= to && told.length < MOST_PERIODS; time += period)
    told.push(meansText(state.mn, time, period));
  return told;
}

/** The CP of a realtime frame. */
export function realtimeText(mn: string, time: number): string {
  let text = `DataTime=${stamp(time)}`;
  for (const { code, value } of valuesAt(mn, time)) text += `;${code}-Rtd=${value},${code}-Flag=N`;
  return text;
}

/** The CP of minute, hour or day data of the period that begins at `time`. */
export function meansText(mn: string, time: number, periodMs: number): string {
  const samples = Array.from({ length: 5 }, (_, i) => valuesAt(mn, time + (i * periodMs) / 5));
  const items = valuesAt(mn, time).map(({ code }, factor) => {
    const values = samples.map((sample) => Number(sample[factor]?.value));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return `${code}-Min=${low.toFixed(1)},${code}-Avg=${mean.toFixed(1)},${code}-Max=${high.toFixed(1)},${code}-Flag=N`;
  });
  return `DataTime=${stamp(time)};${items.join(';')}`;
}

/** A frame of the dialogue that `request` began: it has its QN. In 2005 replies carry the QN in CP. */
function say(
  state: MonitorState,
  request: HostFrame,
  { cn, st, cp }: { cn: string; st: string; cp: string },
) {
  const qn = request.head.get('QN') ?? '';
  const flag = VERSION_BITS[state.edition];
  const rest = `PW=${state.pw};MN=${state.mn};Flag=${flag};`;
  const segment =
    state.edition === 2005
      ? `ST=${st};CN=${cn};${rest}CP=&&${[`QN=${qn}`, cp].filter((part) => part !== '').join(';')}&&`
      : `QN=${qn};ST=${st};CN=${cn};${rest}CP=&&${cp}&&`;
  return frameOf(segment, state.checksum);
}
