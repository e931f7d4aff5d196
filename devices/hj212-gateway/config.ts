import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** An address, or a network as `10.1.0.0/16`. */
const Network = z.string().refine((text) => networkOf(text) !== null, {
  message: 'an IP address, or a network such as 10.1.0.0/16',
});

/** The TCP port for monitors that speak HJ 212. Off unless a port is given. HJ 212 neither authenticates nor encrypts. */
export const Hj212GatewayConfig = z.strictObject({
  port: z
    .number()
    .int()
    .min(0)
    .max(65_535)
    .nullable()
    .default(null)
    .describe('TCP port that monitors connect to; 0 takes a free one; null: no gateway'),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe(
      'Address to listen on; 0.0.0.0 for all networks (read docs/hj212.md first: HJ 212 has no login)',
    ),
  allowFrom: z
    .array(Network)
    .max(1_000)
    .default([])
    .describe('Addresses and networks that may connect; empty: whoever reaches the port'),
  unknownDevices: z
    .enum(['quarantine', 'disconnect'])
    .default('quarantine')
    .describe(
      'Frames of an MN that no device has go to quarantine. quarantine: they are answered; disconnect: the connection ends',
    ),
  maxConnections: z.number().int().min(1).max(100_000).default(10_000).describe('Connections at a time'),
  maxInFlight: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(200)
    .describe('Frames of one connection that may wait for storage before it is read no further'),
  maxInFlightBytes: z
    .number()
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .default(64 * 1024 * 1024)
    .describe('Bytes of frames of all connections together that may wait for storage'),
  maxSegmentBytes: z
    .number()
    .int()
    .min(64)
    .max(9_999)
    .default(1_024)
    .describe("Longest data segment; a device's hj212.maxSegmentBytes may allow it more"),
  maxBrokenPerMinute: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(60)
    .describe('A connection that sends more pieces that are no sound frame is ended'),
  maxStrangersPerMinute: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(600)
    .describe('The same for frames of MNs that no device has'),
  firstFrameS: z
    .number()
    .int()
    .min(1)
    .max(3_600)
    .default(120)
    .describe('A connection on which no sound frame came for so many seconds from its beginning is ended'),
  idleS: z
    .number()
    .int()
    .min(10)
    .max(604_800)
    .default(3_900)
    .describe(
      'A connection on which nothing came for so many seconds is ended; longer than an hour for hour data',
    ),
  replyWithoutFlag: z
    .boolean()
    .default(false)
    .describe('Answer data frames that have no Flag at all (2005) too; else only those that ask for it'),
  answerTimeRequests: z
    .boolean()
    .default(true)
    .describe("Set a known device's clock (1012) when it asks for the time (1013)"),
  replyTimeoutS: z
    .number()
    .min(0.05)
    .max(600)
    .default(10)
    .describe('How long a device may take to answer a request before it is sent again'),
  retries: z.number().int().min(0).max(10).default(3).describe('How often a request is sent again'),
  executionTimeoutS: z
    .number()
    .min(0.05)
    .max(3_600)
    .default(60)
    .describe('How long a device may be silent between its answer to a request (9011) and its result (9012)'),
});
export type Hj212GatewayConfig = z.output<typeof Hj212GatewayConfig>;

/** Who may connect; null: everybody. */
export function allowedSources(config: Hj212GatewayConfig): BlockList | null {
  if (config.allowFrom.length === 0) return null;
  const list = new BlockList();
  for (const text of config.allowFrom) {
    const network = networkOf(text);
    if (network !== null) list.addSubnet(network.address, network.prefix, network.family);
  }
  return list;
}

function networkOf(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | null {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return null;
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  return prefix > most ? null : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}
