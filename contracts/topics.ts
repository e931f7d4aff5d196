/** The topics of the stream, and the record each carries. Keyed by device, so that one device's records keep their order. */
export const TOPICS = {
  /** ObservationRecord */
  observations: 'observations',
  /** Frame */
  frames: 'frames',
  /** Finding */
  findings: 'findings',
} as const;
export type TopicName = (typeof TOPICS)[keyof typeof TOPICS];

/** MQTT topics of the native protocol. A device may publish only below its own id. */
export const MQTT_TOPICS = {
  /** Readings: a NativePayload as JSON. */
  observations: (device: string) => `v1/devices/${device}/observations`,
  /** A picture as bytes; `/<epoch ms or RFC 3339>` behind it may tell its time. */
  frames: (device: string) => `v1/devices/${device}/frames`,
} as const;
