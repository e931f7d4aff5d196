/**
 * The topics of the native protocol, taken apart: `v1/devices/<id>/<channel>[/<rest>]`. Every topic rule of the
 * product is here: which device a topic belongs to, and what a client may publish and subscribe to.
 */
export interface DeviceTopic {
  device: string;
  /** `observations`, `frames`, `commands` … */
  channel: string;
  /** What stands behind the channel; '' when nothing does. */
  rest: string;
}

const PREFIX = 'v1/devices/';
/** As the contract's Id has it. */
const DEVICE_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** Null when the topic is not of this protocol. */
export function parseDeviceTopic(topic: string): DeviceTopic | null {
  if (!topic.startsWith(PREFIX)) return null;
  const slash = topic.indexOf('/', PREFIX.length);
  if (slash < 0) return null;
  const device = topic.slice(PREFIX.length, slash);
  if (!DEVICE_ID.test(device)) return null;
  const next = topic.indexOf('/', slash + 1);
  const channel = next < 0 ? topic.slice(slash + 1) : topic.slice(slash + 1, next);
  return channel === '' ? null : { device, channel, rest: next < 0 ? '' : topic.slice(next + 1) };
}

/** Where a device hears from us. */
export function commandTopic(device: string, name: string): string {
  return `${PREFIX}${device}/commands/${name}`;
}

/** The device whose commands a subscription filter asks for; null when it asks for anything else or for more. */
export function commandFilterDevice(filter: string): string | null {
  const topic = parseDeviceTopic(filter);
  return topic?.channel === 'commands' ? topic.device : null;
}
