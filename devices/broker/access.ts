import { commandFilterAddresses, parseSparkplugTopic, sparkplugAddress } from '../codecs/sparkplug/topic.ts';
import type { BrokerConfig } from '../config.ts';
import type { CertificateRefusal, Registry } from '../registry/registry.ts';
import { speaksFor } from '../rights.ts';
import { commandFilterDevice, parseDeviceTopic } from '../topics.ts';
import type { Proof } from './client-certificate.ts';

/** Why a client was not let in. Metric and log show this same word. */
export type Refusal =
  | 'anonymous-not-allowed'
  | 'device-unknown'
  | 'no-password-set'
  | 'password-wrong'
  | 'busy'
  | 'will-not-own-topic'
  | 'certificate-required'
  | 'certificate-not-trusted'
  | 'certificate-expired'
  | 'certificate-of-another'
  | CertificateRefusal;

/** CONNACK codes of MQTT 3.1.1, table 3.1. */
export const CONNACK: Record<Refusal, 3 | 4 | 5> = {
  'anonymous-not-allowed': 5,
  'device-unknown': 4,
  'no-password-set': 4,
  'password-wrong': 4,
  busy: 3,
  'will-not-own-topic': 5,
  'certificate-required': 5,
  'certificate-not-trusted': 5,
  'certificate-expired': 5,
  'certificate-of-another': 5,
  'certificate-of-nobody': 5,
  'certificate-revoked': 5,
  'certificate-not-registered': 5,
};

/** Who is behind a connection; `device` is null for an anonymous one. */
export type Identity = { device: string | null };

/** What a client brought, besides user name and password. */
export interface Brought {
  /** What its certificate proves; null = it has none. */
  proof: Proof | null;
  foreignWill: boolean;
}

/** The user name is the device's id. A certificate goes before a password, and a wrong one is not made good by it. */
export async function identify(
  username: string | undefined,
  password: Buffer | undefined,
  registry: Pick<Registry, 'signIn'>,
  { allowAnonymous, tls }: Pick<BrokerConfig, 'allowAnonymous' | 'tls'>,
  { proof, foreignWill }: Brought,
): Promise<Identity | Refusal> {
  if (foreignWill) return 'will-not-own-topic';
  if (typeof proof === 'string') return proof;
  if (proof !== null) {
    return username === undefined || username === proof.device ? proof : 'certificate-of-another';
  }
  if (tls?.requireClientCertificate === true) return 'certificate-required';
  if (username === undefined) return allowAnonymous ? { device: null } : 'anonymous-not-allowed';
  const answer = await registry.signIn(username, password ?? Buffer.alloc(0));
  return answer === 'accepted' ? { device: username } : answer;
}

/**
 * A device hears its own commands, in the native protocol or in Sparkplug's, and those of devices that it is the gateway
 * of; an anonymous client those of any registered device. Nothing else.
 */
export function maySubscribe(
  who: Identity,
  filter: string,
  registry: Pick<Registry, 'get' | 'find'>,
): boolean {
  const device = commandFilterDevice(filter);
  if (device !== null)
    return who.device === null ? registry.get(device) !== undefined : device === who.device;
  return commandFilterAddresses(filter).some((address) => {
    const asked = registry.find(address);
    return asked !== undefined && (who.device === null || speaksFor(who.device, asked));
  });
}

/**
 * A will speaks for a client that can no longer be asked: of the topics that name a device it may use the client's own
 * only. On others (`tele/plug-1/LWT`, `frigate/available`) ingest judges it as any message: by the device that it means.
 */
export function mayLeaveWill(
  username: string | undefined,
  topic: string,
  registry: Pick<Registry, 'find'>,
): boolean {
  const sparkplug = parseSparkplugTopic(topic);
  if (sparkplug !== null) {
    const meant = registry.find(sparkplugAddress(sparkplug.group, sparkplug.node, sparkplug.device));
    return username === undefined || meant === undefined || speaksFor(username, meant);
  }
  const device = parseDeviceTopic(topic)?.device;
  if (device === undefined) return !topic.startsWith(NATIVE_PREFIX);
  return username === undefined || device === username;
}

const NATIVE_PREFIX = 'v1/';
