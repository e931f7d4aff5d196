import { HostReader, type MonitorState, repliesTo, stamp } from '../hj212/index.ts';
import { SECOND } from '../time.ts';
import { loadMn } from './devices.ts';
import { loadFrame } from './payload.ts';
import type { Message, Wire } from './wire.ts';

/**
 * A relay that carries many monitors over one connection: realtime data (2011) that asks for an answer, and replies to what
 * the host asks in between. DataTime counts seconds: a device has at most one message a second. `last` is the newest time of
 * each device, in ms: of its data, and of its QN.
 */
export function hj212Wire(last: { data: Float64Array; qn: Float64Array }): Wire {
  const reader = new HostReader();
  return {
    // HJ 212-2017, 6.4.1: ten seconds without a reply, then again.
    repeatAfterMs: 10 * SECOND,
    hello() {
      reader.clear();
      return null;
    },
    next(device): Message {
      const now = Date.now();
      const time = Math.max(Math.floor(now / SECOND) * SECOND, (last.data[device] ?? 0) + SECOND);
      const qn = Math.max(now, (last.qn[device] ?? 0) + 1);
      last.data[device] = time;
      last.qn[device] = qn;
      return { key: keyOf(loadMn(device + 1), stamp(qn, 17)), bytes: loadFrame(device, time, qn) };
    },
    again: (bytes) => bytes,
    receive(chunk, heard) {
      for (const frame of reader.push(chunk)) {
        const { head } = frame;
        if (head.get('CN') === '9014') heard.acknowledged(keyOf(head.get('MN') ?? '', head.get('QN') ?? ''));
        else for (const reply of repliesTo(frame, stateOf(head), Date.now())) heard.answer(reply);
      }
    },
  };
}

const keyOf = (mn: string, qn: string) => `${mn}/${qn}`;

/** Devices of a load keep nothing that they are told. */
function stateOf(head: ReadonlyMap<string, string>): MonitorState {
  return {
    mn: head.get('MN') ?? '',
    pw: '123456',
    st: '39',
    edition: 2017,
    checksum: 'standard',
    realtimeOn: true,
    realtimeIntervalS: 30,
    minuteInterval: 1,
    clockAheadMs: 0,
  };
}
