import { describe, expect, it } from 'vitest';
import type { Clock, Log } from '../backbone/index.ts';
import type { Codec, Decoded } from '../devices/codecs/index.ts';
import type { DeviceMessage } from '../devices/message.ts';
import { type AcceptDeps, acceptor } from './accept.ts';
import { IngestConfig } from './config.ts';
import type { Suspect } from './quarantine.ts';

/** A codec with a fault of ours, and nothing but what accept needs around it. */
function withCodec(decode: Codec['decode']) {
  const suspects: Suspect[] = [];
  const errors: unknown[] = [];
  const codec: Codec = { name: 'broken', match: () => null, decode };
  const route = { codec, address: { device: null, kind: 'readings' as const, detail: '' } };
  const deps = {
    clock: { now: () => 1_795_000_000_000, speed: 1 } as Clock,
    log: { error: (what: unknown) => errors.push(what) } as unknown as Log,
    routes: { find: () => route },
    known: { find: () => undefined },
    rate: { allows: () => true },
    quarantine: { put: async (suspect: Suspect) => void suspects.push(suspect) },
    tally: { messages: 0, observations: 0, duplicates: 0, frames: 0, late: 0 },
    inFlight: { add: () => undefined, remove: () => undefined },
  };
  return { ...acceptor(IngestConfig.parse({}), deps as unknown as AcceptDeps), suspects, errors };
}

const MESSAGE: DeviceMessage = {
  topic: 'v1/x',
  payload: Buffer.from('poison'),
  clientId: 'c',
  authenticatedDevice: null,
};

describe('a codec that fails, against its promise', () => {
  const failures: [string, Codec['decode']][] = [
    [
      'at once',
      () => {
        throw new RangeError('too deep');
      },
    ],
    ['later', (): Promise<Decoded> => Promise.reject(new RangeError('too deep'))],
  ];
  it.each(failures)(
    '%s: its message is in quarantine with its bytes, and the fault in the log',
    async (_when, decode) => {
      const { accept, suspects, errors } = withCodec(decode);
      expect(await accept(MESSAGE)).toMatchObject({ outcome: 'quarantined', reason: 'malformed' });
      expect(suspects).toMatchObject([
        { reason: 'malformed', detail: expect.stringContaining('codec broken') },
      ]);
      expect(suspects[0]?.payload.toString()).toBe('poison');
      expect(errors).toHaveLength(1);
    },
  );

  it('ends no process: whoever handed the message on is told', async () => {
    const { acceptInto } = withCodec(() => null as unknown as Decoded);
    const told = await new Promise((resolve) => {
      acceptInto(MESSAGE, { durable: () => resolve('durable'), failed: resolve });
    });
    expect(told).toBeInstanceOf(TypeError);
  });
});
