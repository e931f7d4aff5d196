import { frameOf, realtimeText, stamp } from '../hj212/index.ts';
import { ripple } from '../random.ts';
import { MINUTE } from '../time.ts';
import { loadMn } from './devices.ts';

/** Three values in about 200 bytes of JSON, as a chatty logger writes them. A function of device and time alone. */
export function loadPayload(n: number, time: number): string {
  const value = (seed: number, mid: number, swing: number) =>
    (mid + swing * ripple(seed + n * 7, time, 5 * MINUTE)).toFixed(2);
  return `{"time":${time},"readings":{"PM10":{"value":${value(1, 80, 20)},"unit":"ug/m3","quality":"valid"},"PM2.5":{"value":${value(2, 35, 8)},"unit":"ug/m3","quality":"valid"},"TEMP":{"value":${value(3, 12, 4)},"unit":"Cel","quality":"valid"}}}`;
}

/** The same as an HJ 212-2017 frame of realtime data that asks for an answer. `time` in whole seconds, `qn` in ms. */
export function loadFrame(n: number, time: number, qn: number): Buffer {
  const mn = loadMn(n + 1);
  return frameOf(
    `QN=${stamp(qn, 17)};ST=39;CN=2011;PW=123456;MN=${mn};Flag=5;CP=&&${realtimeText(mn, time)}&&`,
  );
}
