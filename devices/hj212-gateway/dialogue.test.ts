import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Hj212Request } from './commands.ts';
import { readHead } from './head.ts';
import { type Link, type RequestResult, Requests } from './requests.ts';
import { MN } from './testing/stage.ts';

/** Dialogues against a device that says anything in any order, on a fake clock. */

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const OPTIONS = {
  replyTimeoutS: 10,
  executionTimeoutS: 60,
  retries: 3,
  utcOffsetMs: 0,
  now: () => 1_795_000_000_000,
};

function open() {
  const sent: string[] = [];
  const link: Link = {
    mn: MN,
    head: readHead(Buffer.from(`ST=31;PW=123456;MN=${MN};CP=&&&&`)),
    version: 1,
    crc: 'standard',
    send: (frame) => sent.push(frame.toString()),
  };
  const requests = new Requests(OPTIONS);
  const hear = (cn: string, cp: string, qn: string) => {
    const segment = Buffer.from(`QN=${qn};ST=91;CN=${cn};PW=123456;MN=${MN};Flag=4;CP=&&${cp}&&`);
    requests.hear(MN, readHead(segment), segment);
  };
  const lastQn = () => /QN=(\d+)/.exec(sent.at(-1) ?? '')?.[1] ?? '';
  return { sent, link, requests, hear, lastQn };
}

const request = fc.constantFrom<Hj212Request>(
  { cn: '1011' },
  { cn: '1012' },
  { cn: '2012' },
  { cn: '2061', from: '2026-11-22T00:00:00Z', to: '2026-11-22T01:00:00Z' },
);
const event = fc.oneof(
  fc.record({
    cn: fc.constantFrom('9011', '9012', '9013', '9014', '1011', '2061', 'x'),
    own: fc.boolean(),
    code: fc.nat(9),
  }),
  fc.record({ waitS: fc.nat(30) }),
);

describe('a dialogue', () => {
  it('ends once, with a named outcome, whatever the device says and when', async () => {
    await fc.assert(
      fc.asyncProperty(request, fc.array(event, { maxLength: 12 }), async (asked, events) => {
        const { sent, link, requests, hear, lastQn } = open();
        const ends: RequestResult[] = [];
        void requests.send(link, asked).then((result) => ends.push(result));
        for (const one of events) {
          if ('waitS' in one) await vi.advanceTimersByTimeAsync(one.waitS * 1_000);
          else hear(one.cn, `QnRtn=${one.code};ExeRtn=${one.code}`, one.own ? lastQn() : '20200101000000000');
        }
        await vi.advanceTimersByTimeAsync(400_000);
        expect(ends).toHaveLength(1);
        expect(requests.isPending(MN, asked.cn)).toBe(false);
        expect(sent.length).toBe(ends[0]?.tries);
        expect(sent.length).toBeLessThanOrEqual(4);
        expect(vi.getTimerCount()).toBe(0);
      }),
      { seed: 212, numRuns: 300 },
    );
  });

  it('gives a device that goes on delivering more time', async () => {
    const { requests, link, hear, lastQn } = open();
    const span = { from: '2026-11-22T00:00:00Z', to: '2026-11-22T01:00:00Z' };
    const result = requests.send(link, { cn: '2061', ...span });
    hear('9011', 'QnRtn=1', lastQn());
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(50_000);
      // Each packet of history may have a QN of its own.
      hear('2061', `DataTime=2026112200000${i}`, `2026112300000000${i}`);
    }
    hear('9012', 'ExeRtn=1', lastQn());
    await expect(result).resolves.toMatchObject({ outcome: 'done', frames: 5, tries: 1 });
  });

  it('is one of eight at most with a device', async () => {
    const { requests, link } = open();
    const all = Array.from({ length: 8 }, () => requests.send(link, { cn: '1011' }));
    expect(() => requests.send(link, { cn: '1011' })).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }),
    );
    requests.lost(() => true);
    const ended = await Promise.all(all);
    expect(new Set(ended.map((r) => r.qn)).size).toBe(8);
    expect(ended.every((r) => r.outcome === 'connection-lost')).toBe(true);
  });
});
