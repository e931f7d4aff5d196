import type { DeviceInput } from '../../contracts/index.ts';
import { FACTORS } from '../hj212/index.ts';

export type LoadProtocol = 'mqtt' | 'hj212';

export function loadDeviceId(n: number): string {
  return `load-${String(n).padStart(5, '0')}`;
}

/** MN of the n-th device: 14 characters, as many monitors have. */
export function loadMn(n: number): string {
  return `LOAD${String(n).padStart(10, '0')}`;
}

/** The device under whose name the n-th connection signs in, for connections that need a password. */
export function loadGatewayId(n: number): string {
  return `load-gateway-${String(n).padStart(3, '0')}`;
}

export interface LoadListOptions {
  protocol?: LoadProtocol;
  /** Connections sign in with it: each has a device of its own, which is the gateway of those that it carries. */
  signIn?: { password: string; connections: number };
}

/** A row of a device list. */
export type LoadDevice = DeviceInput & { password?: string };

/** The registry list of the load devices, load-00001 …; write it as JSON, for `qianliyan devices import`. */
export function loadDevices(
  count: number,
  { protocol = 'mqtt', signIn }: LoadListOptions = {},
): LoadDevice[] {
  const gateways = Array.from({ length: signIn?.connections ?? 0 }, (_, i): LoadDevice => {
    const name = { zh: `压测网关 ${i + 1}`, en: `Load gateway ${i + 1}` };
    return { ...placed(loadGatewayId(i + 1), name, i), password: signIn?.password ?? '' };
  });
  const devices = Array.from({ length: count }, (_, i): LoadDevice => {
    const name = { zh: `压测设备 ${i + 1}`, en: `Load device ${i + 1}` };
    const gateway = signIn === undefined ? null : loadGatewayId((i % signIn.connections) + 1);
    const device: LoadDevice = { ...placed(loadDeviceId(i + 1), name, i), datastreams: DATASTREAMS };
    if (gateway !== null) device.gateway = gateway;
    if (protocol === 'mqtt') return device;
    return { ...device, addresses: [`hj212:${loadMn(i + 1)}`], hj212: { factors: PROFILE_FACTORS } };
  });
  return [...gateways, ...devices];
}

function placed(id: string, name: DeviceInput['name'], i: number): DeviceInput {
  return { id, kind: 'sensor', name, site: `site-load-${(i % 100) + 1}`, location: [123.43, 41.8] };
}

const DATASTREAMS: DeviceInput['datastreams'] = FACTORS.map(({ property, unit, range }) => ({
  property,
  unit,
  range: [...range],
  intervalS: 30,
}));

/** Units are stated: those of the standard's table (ng/m3 for dust) are not what devices send. */
const PROFILE_FACTORS = Object.fromEntries(
  FACTORS.map(({ code, property, unit }) => [code, { property, unit }]),
);
