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
