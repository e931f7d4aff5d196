import { z } from 'zod';

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|localhost)$/;

const Tls = z
  .strictObject({
    certFile: z.string().min(1).describe('PEM file with the certificate chain'),
    keyFile: z.string().min(1).describe('PEM file with the private key'),
    clientCaFile: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'PEM file with the authorities of client certificates: who brings one of theirs needs no password; null: nobody is asked for one',
      ),
    requireClientCertificate: z
      .boolean()
      .default(false)
      .describe('Passwords alone let nobody in; needs clientCaFile'),
  })
  .refine((tls) => !tls.requireClientCertificate || tls.clientCaFile !== null, {
    path: ['clientCaFile'],
    message: 'a file, because requireClientCertificate is true',
  });

/** The embedded MQTT broker: where devices connect. Secure unless told otherwise, and then on this machine only. */
export const BrokerConfig = z
  .strictObject({
    enabled: z.boolean().default(true).describe('false: devices come by external brokers or gateways only'),
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all networks'),
    port: z.number().int().min(0).max(65_535).default(1883).describe('TCP port; 0 takes a free one'),
    tls: Tls.nullable().default(null).describe('Certificate and key: then the port speaks TLS only'),
    allowAnonymous: z
      .boolean()
      .default(false)
      .describe(
        'Takes clients without a password; they may publish for any registered device. Loopback only',
      ),
    maxConnections: z.number().int().min(1).max(200_000).default(20_000).describe('Connections at a time'),
    maxPacketBytes: z
      .number()
      .int()
      .min(65_536)
      .max(268_435_455)
      .default(64 * 1024 * 1024)
      .describe('A client that announces a longer MQTT packet is disconnected'),
    maxBufferedBytes: z
      .number()
      .int()
      .min(65_536)
      .max(67_108_864)
      .default(27 * 1024 * 1024)
      .describe('A longer PUBLISH is not held in memory: its head, size and hash go to quarantine'),
    maxInFlight: z
      .number()
      .int()
      .min(1)
      .max(65_535)
      .default(2_000)
      .describe('Messages of one client that may wait for storage before its connection is read no further'),
    maxInFlightBytes: z
      .number()
      .int()
      .min(65_536)
      .max(1_073_741_824)
      .default(8 * 1024 * 1024)
      .describe('The same in bytes'),
  })
  .superRefine((config, context) => {
    if (!config.allowAnonymous || LOOPBACK.test(config.host)) return;
    context.addIssue({
      code: 'custom',
      path: ['allowAnonymous'],
      input: config.allowAnonymous,
      message: `false, or a loopback address as host (it is ${config.host})`,
    });
  });
export type BrokerConfig = z.output<typeof BrokerConfig>;
