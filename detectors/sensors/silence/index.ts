import { z } from 'zod';
import type { DeviceEvent, RegisteredDevice } from '../../../contracts/index.ts';
import type { DeviceContext, DeviceWatch, Said, Say, SensorDetector } from '../detector.ts';
import { durationText, localText } from '../wording.ts';

/**
 * A device that no longer speaks, or never did: one finding a device, however many datastreams it has.
 *
 *   message ─▶ heard at ─┐
 *   tick ────────────────┴▶ silent for longer than factor × its own interval? ─▶ `silent` / `never-heard`
 *
 * Promises: driven by ticks and by when ingest received, never by the device's own clock: a device with a wrong clock is
 * not silent. Silence while ingest itself was down does not count (`attendedSince`). Closes with the next message. A device
 * that was registered but never spoke is `never-heard`, after a grace for its installation. Does not promise to see a
 * single probe that failed while its device goes on speaking, nor to tell a dead device from a dead network.
 */
export const SilenceParams = z.strictObject({
  factor: z
    .number()
    .min(1.5)
    .max(1000)
    .default(4)
    .describe('Silent after so many times the expected interval of its most frequent datastream …'),
  floorS: z.number().min(1).max(604_800).default(300).describe('… but not before so many seconds'),
  neverHeardAfterS: z
    .number()
    .min(1)
    .max(31_536_000)
    .default(86_400)
    .describe('Seconds after registration within which a device may still be under installation'),
  matter: z
    .string()
    .default('m-device-offline')
    .describe('Matter of the finding; left out if not in the catalog'),
});
export type SilenceParams = z.infer<typeof SilenceParams>;

export const silenceDetector: SensorDetector<SilenceParams> = {
  name: 'silence',
  version: '1.0.0',
  params: SilenceParams,
  attach: () => null,
  attachDevice(context, params) {
    // Without datastreams it is a camera: its pictures are another topic, which this detector does not see.
    return context.device.datastreams.length === 0 ? null : new SilenceWatch(context, params);
  },
  lookbackMs: () => 0,
};

interface SilenceState {
  /** Product's time; 0: never. (A number always, since it is written for every message.) */
  heardAt: number;
  /** Latest session event that speaks for the silence. */
  lost: { time: number; event: 'lost' | 'disconnected' } | null;
  /** The happening's start; null: nothing open. */
  since: number | null;
  wake: number;
}

class SilenceWatch implements DeviceWatch {
  readonly #device: RegisteredDevice;
  readonly #context: DeviceContext;
  readonly #params: SilenceParams;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  #state: SilenceState;

  constructor(context: DeviceContext, params: SilenceParams) {
    const { device } = context;
    this.#device = device;
    this.#context = context;
    this.#params = params;
    this.#intervalMs = Math.min(...device.datastreams.map((d) => d.intervalS)) * 1000;
    this.#timeoutMs = Math.max(params.floorS * 1000, params.factor * this.#intervalMs);
    const wake = device.since + params.neverHeardAfterS * 1000;
    this.#state = { heardAt: 0, lost: null, since: null, wake };
  }

  heard(receivedAt: number, say: Say): void {
    const state = this.#state;
    if (state.since !== null) {
      say(this.#words('closed', state.since, receivedAt));
      state.since = null;
    }
    // What was due before it first spoke lies too far ahead; later messages only push it back, and that can wait.
    if (state.heardAt === 0) state.wake = receivedAt + this.#timeoutMs;
    state.heardAt = receivedAt;
    state.lost = null;
  }

  event(event: DeviceEvent, _say: Say): void {
    const { event: what, time } = event;
    if (what === 'connected') this.#state.lost = null;
    else if (what === 'lost' || what === 'disconnected') this.#state.lost = { time, event: what };
  }

  wakeAt(): number {
    return this.#state.wake;
  }

  tick(time: number, say: Say, attendedSince: number): void {
    const state = this.#state;
    const silentFrom = state.heardAt === 0 ? this.#device.since : state.heardAt;
    const patience = state.heardAt === 0 ? this.#params.neverHeardAfterS * 1000 : this.#timeoutMs;
    // Nobody can be heard while nobody listens: after an outage of ours, everyone gets the full time again.
    const due = Math.max(silentFrom, state.since === null ? attendedSince : 0) + patience;
    if (time < due) {
      state.wake = due;
      return;
    }
    const say_ = state.since === null ? 'open' : 'update';
    state.since ??= silentFrom;
    say(this.#words(say_, state.since, time));
    state.wake = time + this.#timeoutMs;
  }

  save(): SilenceState {
    return { ...this.#state };
  }

  restore(state: SilenceState): void {
    this.#state = { ...state };
  }

  #words(state: Said['state'], since: number, time: number): Said {
    const { heardAt, lost } = this.#state;
    const { matter } = this.#params;
    return {
      state,
      kind: 'device-silent',
      reason: heardAt === 0 ? 'never-heard' : 'silent',
      severity: 'warning',
      ...(this.#context.catalog.matters.has(matter) ? { matter } : {}),
      interval: { from: since, to: time },
      measure: {
        statistic: 'silence',
        value: (time - since) / 1000,
        unit: 's',
        limit: this.#timeoutMs / 1000,
      },
      summary: this.#summary(state, since, time),
      since,
      parameters: { intervalS: this.#intervalMs / 1000, ...(lost === null ? {} : { connection: lost }) },
      input: { from: since, to: time },
    };
  }

  #summary(state: Said['state'], since: number, time: number): Said['summary'] {
    const { heardAt, lost } = this.#state;
    const { name } = this.#device;
    const local = (t: number): string => localText(t, this.#context.utcOffsetMs);
    const silent = durationText(Math.round((time - since) / 1000) * 1000);
    const every = durationText(this.#intervalMs);
    if (heardAt === 0) {
      return {
        zh: `${name.zh} 登记后（${local(since)}）从未上报数据，已 ${silent.zh}`,
        en: `${name.en} has sent nothing since it was registered at ${local(since)}, for ${silent.en}`,
      };
    }
    const linkZh =
      lost === null ? '' : `；连接于 ${local(lost.time)} ${lost.event === 'lost' ? '中断' : '断开'}`;
    const linkEn = lost === null ? '' : `; its connection was ${lost.event} at ${local(lost.time)}`;
    return state === 'closed'
      ? {
          zh: `${name.zh} 于 ${local(time)} 恢复上报，此前中断 ${silent.zh}（自 ${local(since)} 起）`,
          en: `${name.en} speaks again since ${local(time)}, after ${silent.en} of silence (from ${local(since)})`,
        }
      : {
          zh: `${name.zh} 自 ${local(since)} 起未上报数据，已 ${silent.zh}（应每 ${every.zh}上报一次）${linkZh}`,
          en: `${name.en} has been silent since ${local(since)}, for ${silent.en} (expected every ${every.en})${linkEn}`,
        };
  }
}
