import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockMeter } from './clock-meter.ts';

const T = 1_795_000_000_000;

describe('the clock of a device', () => {
  it('is not known before its first message', () => {
    expect(clockMeter().offsetMs).toBeNull();
  });

  it('that is ahead shows at once', () => {
    expect(clockMeter().see(T + 90_000, T)).toBe(90_000);
  });

  it('that is right stays right when one message is held up', () => {
    const meter = clockMeter();
    meter.see(T - 200, T);
    expect(meter.see(T - 60_000, T + 5_000)).toBe(-200);
  });

  it('that is behind shows once the least delayed of the last messages says so', () => {
    const meter = clockMeter();
    meter.see(T, T);
    const seen = Array.from({ length: 8 }, (_, i) => meter.see(T + i - 120_000, T + i));
    // The one message that was right is forgotten with the eighth one behind it.
    expect(seen).toEqual([0, 0, 0, 0, 0, 0, 0, -120_000]);
  });

  it('that was put right is right again after as many messages', () => {
    const meter = clockMeter();
    for (let i = 0; i < 20; i++) meter.see(T + i + 3_600_000, T + i);
    for (let i = 0; i < 8; i++) meter.see(T + 100 + i, T + 100 + i);
    expect(meter.offsetMs).toBe(0);
  });

  it('is never judged later than its least delayed message of the last eight', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -3_600_000, max: 3_600_000 }),
        fc.array(fc.nat(600_000), { minLength: 1 }),
        (off, delays) => {
          const meter = clockMeter();
          for (const [i, delay] of delays.entries()) meter.see(T + i * 1_000 + off, T + i * 1_000 + delay);
          expect(meter.offsetMs).toBe(off - Math.min(...delays.slice(-8)));
        },
      ),
    );
  });
});
