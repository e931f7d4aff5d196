import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusCodec } from './codec.ts';

const codec = statusCodec();

function decode(payload: Buffer) {
  const address = { device: 'd', kind: 'readings', detail: '' } as const;
  return codec.decode({ address, payload, receivedAt: 0, device: undefined, userProperties: {} });
}

describe('status', () => {
  it('never throws, and takes two words only', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const text = Buffer.from(bytes).toString('utf8');
          const decoded = decode(Buffer.from(bytes));
          expect(decoded).toMatchObject(
            /online|offline/.test(text) ? {} : { kind: 'rejected', reason: 'schema' },
          );
        },
      ),
      { seed: 7, numRuns: 2_000 },
    );
  });

  it('has its own topic only', () => {
    expect(codec.match('v1/devices/d/status')).toEqual({ device: 'd', kind: 'readings', detail: '' });
    for (const other of ['v1/devices/d/status/x', 'v1/devices/d/state', 'status'])
      expect(codec.match(other)).toBeNull();
  });
});
