import { z } from 'zod';

/** A broker that is not ours, read as one of its clients: Mosquitto, EMQX or any other that speaks MQTT 5. */
export const ExternalBrokerConfig = z.strictObject({
  url: z
    .string()
    .regex(/^mqtts?:\/\/[^/@]+$/, { error: 'mqtt://HOST[:PORT] or mqtts://HOST[:PORT]' })
    .describe('mqtt://host:1883, or mqtts://host:8883 for TLS'),
  username: z.string().min(1).nullable().default(null).describe('Account at that broker'),
  passwordFile: z.string().min(1).nullable().default(null).describe('File with its password, nothing else'),
  caFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('PEM file with the CA of the broker; null: the public ones'),
  certFile: z.string().min(1).nullable().default(null).describe('PEM file with our client certificate'),
  keyFile: z.string().min(1).nullable().default(null).describe('PEM file with its private key'),
  clientId: z
    .string()
    .min(1)
    .max(200)
    .nullable()
    .default(null)
    .describe(
      'Has to stay the same over restarts and differ between processes; null: made once for the data folder',
    ),
  shareName: z
    .string()
    .regex(/^[^/+#]+$/)
    .nullable()
    .default('qianliyan')
    .describe(
      'Group of the shared subscription: several ingest processes part the messages; null: not shared',
    ),
  filters: z
    .array(z.string().min(1).max(1_000))
    .min(1)
    .default(['v1/devices/#'])
    .describe('Topic filters to subscribe to'),
  connections: z.number().int().min(1).max(32).default(1).describe('Connections side by side'),
  sessionExpiryS: z
    .number()
    .int()
    .min(60)
    .max(4_294_967_294)
    .default(7 * 86_400)
    .describe('Seconds for which the broker keeps messages for us while we are away'),
  maxInFlight: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(10_000)
    .describe(
      'Unacknowledged messages that the broker may have under way to one connection (receive maximum)',
    ),
  maxInFlightBytes: z
    .number()
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .default(64 * 1024 * 1024)
    .describe('The same in bytes: beyond it nothing is read'),
  maxBufferedBytes: z
    .number()
    .int()
    .min(65_536)
    .max(67_108_864)
    .default(27 * 1024 * 1024)
    .describe('A longer message is not held in memory: its head, size and hash go to quarantine'),
  keepAliveS: z.number().int().min(5).max(3_600).default(30).describe('Seconds between two signs of life'),
});
export type ExternalBrokerConfig = z.output<typeof ExternalBrokerConfig>;
