import type { QuarantineReason } from '../contracts/index.ts';

/** What a device said, as any entrance (embedded broker, external broker, gateway) hands it to ingest. */
export interface DeviceMessage {
  topic: string;
  /** As sent; for an oversize message its head only. */
  payload: Buffer;
  /** Name of the connection, for people; null when there is none. */
  clientId: string | null;
  /** The device that has proved who it is; null: nobody did, and the topic is believed. */
  authenticatedDevice: string | null;
  /** MQTT 5 user properties, where the entrance has them. */
  userProperties?: Record<string, string>;
  /** The message was too long to be held: its true size and hash. */
  oversize?: { size: number; sha256: string };
  /** What the entrance itself found wrong with it: it goes to quarantine for that. */
  fault?: { reason: QuarantineReason; detail: string };
  /** It came before, and is run again out of quarantine. */
  again?: Again;
}

/** A message that is run again is judged by the time at which it came, and told what is still wrong with it. */
export interface Again {
  /** Epoch ms, of the first time. */
  receivedAt: number;
  /** What is refused of it is written here: its entry is in quarantine already. */
  refused: { reason: QuarantineReason; detail: string; device: string | null }[];
}

/** A session of a device began, or ended with or without a farewell. */
export type SessionEvent = 'connected' | 'disconnected' | 'lost';

/** A message back to a device, for the entrance to publish: MQTT topic and payload. */
export interface Outgoing {
  topic: string;
  payload: Buffer;
}

/** Somebody spoke whom the registry does not know: gathered for a person to adopt. */
export interface Sighting {
  /** Device id, or an address such as `hj212:<MN>`. */
  name: string;
  kind: 'readings' | 'picture';
  topic: string;
  clientId: string | null;
  /** Epoch ms. */
  at: number;
  payload: Buffer;
}
