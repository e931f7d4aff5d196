import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import type { LeadEvent } from '../../contracts/index.ts';
import { type CaseSystem, type CaseSystemOptions, signatureFault, startCaseSystem } from './index.ts';

const SECRET = `whsec_${Buffer.from('a secret of thirty-two bytes ...').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('another secret, just as long ...').toString('base64')}`;

let system: CaseSystem;
afterEach(() => system?.stop());
async function start(more: Partial<CaseSystemOptions> = {}): Promise<void> {
  system = await startCaseSystem({ port: 0, secrets: [SECRET], ...more });
}

async function taken(leads: number): Promise<void> {
  while (system.stats().accepted < leads) await new Promise((r) => setTimeout(r, 5));
}

const text = { zh: '甲', en: 'a' };
function lead(id: string): LeadEvent {
  return {
    specversion: '1.0',
    id,
    source: 'qianliyan',
    type: 'cn.qianliyan.lead.created.v1',
    subject: id,
    time: '2026-11-22T22:05:00+08:00',
    datacontenttype: 'application/json',
    data: {
      lead: id,
      unit: 'u-linhe',
      draftCase: {
        id: 'd1',
        number: 'XS-20261122-0001',
        state: 'confirmed',
        alert: 'a1',
        matter: 'm-dust-site',
        cause: text,
        facts: text,
        regulatedParty: null,
        bases: [],
        device: 'dust-03',
        site: 'site-03',
        location: [123.44, 41.8],
        occurred: { from: 1_795_000_000_000, to: 1_795_000_000_001 },
        route: { unit: 'u-linhe', coUnits: [], reason: 'empowerment', candidates: [], text },
        standing: 'evidence',
        checklist: [],
        findings: [],
        createdAt: 1_795_000_000_000,
        dueAt: 1_795_000_000_000,
        review: null,
        lead: id,
        version: 1,
      },
      evidence: [],
    },
  };
}

interface Delivery {
  id?: string;
  body?: string;
  secret?: string;
  at?: Date;
  signature?: string;
}
/** Signed by the standardwebhooks package, which knows nothing of this code. */
function deliver({
  id = 'msg_1',
  body = JSON.stringify(lead('l1')),
  secret = SECRET,
  at = new Date(),
  signature,
}: Delivery = {}) {
  return fetch(system.url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/cloudevents+json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': signature ?? new Webhook(secret).sign(id, at, body),
    },
  });
}

describe('the sample case system', () => {
  it('takes a lead that a foreign implementation signed, and gives a receipt', async () => {
    await start();
    const answer = await deliver();
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ receipt: expect.stringMatching(/^AJ-[0-9A-F]{10}$/) });
    expect(system.receipts()[0]?.event.data.lead).toBe('l1');
  });

  it('knows a repeat by its webhook-id and gives the same receipt again', async () => {
    await start();
    const receipts = [
      await (await deliver()).json(),
      await (await deliver()).json(),
      await (await deliver({ id: 'msg_2' })).json(),
    ];
    expect(receipts[1]).toEqual(receipts[0]);
    expect(receipts[2]).not.toEqual(receipts[0]);
    expect(system.stats()).toEqual({ received: 3, accepted: 2, repeats: 1, refused: {} });
  });

  it.each<[string, Delivery, number, string]>([
    ['another secret', { secret: OTHER }, 401, 'signature-wrong'],
    ['no signature worth the name', { signature: 'v1,AAAA' }, 401, 'signature-wrong'],
    ['an unknown version of signature', { signature: 'v9,AAAA' }, 401, 'signature-wrong'],
    ['an old timestamp', { at: new Date(Date.now() - 6 * 60_000) }, 401, 'too-old'],
    ['a timestamp of tomorrow', { at: new Date(Date.now() + 86_400_000) }, 401, 'in-the-future'],
    ['a body that is no lead', { body: '{"test": 1}' }, 422, 'not-a-lead'],
    ['a body that is no JSON', { body: 'lead' }, 422, 'not-a-lead'],
  ])('refuses %s', async (_, delivery, status, reason) => {
    await start();
    const answer = await deliver(delivery);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ refused: reason });
    expect(system.stats()).toMatchObject({ accepted: 0, refused: { [reason]: 1 } });
  });

  it('refuses what was changed on the way', async () => {
    await start();
    const body = JSON.stringify(lead('l1'));
    const at = new Date();
    const signature = new Webhook(SECRET).sign('msg_1', at, body);
    expect((await deliver({ body: body.replace('u-linhe', 'u-other'), at, signature })).status).toBe(401);
  });

  it('believes the old and the new key while keys are changed', async () => {
    await start({ secrets: [OTHER, SECRET] });
    expect((await deliver()).status).toBe(200);
    expect((await deliver({ id: 'msg_2', secret: OTHER })).status).toBe(200);
  });

  it('judges age by the clock it is given, where the sender lives in another time', async () => {
    const then = Date.parse('2030-01-01T00:00:00Z');
    await start({ now: () => then });
    expect((await deliver({ at: new Date(then) })).status).toBe(200);
    expect((await deliver({ id: 'msg_2' })).status).toBe(401);
  });

  it('answers wrongly, late, not at all, twice or by cutting the line when told to, and has the lead each time', async () => {
    await start({ behaviour: { answer: 'wrong', status: 500, body: 'oops' } });
    expect((await deliver({ id: 'a' })).status).toBe(500);
    system.behave({ answer: 'late', afterMs: 20 });
    expect((await deliver({ id: 'b' })).status).toBe(200);
    system.behave({ answer: 'cut' });
    await expect(deliver({ id: 'c' })).rejects.toThrow();
    system.behave({ answer: 'never' });
    const unanswered = deliver({ id: 'd' });
    unanswered.catch(() => undefined);
    await taken(4);
    system.behave({ answer: 'twice' });
    expect((await deliver({ id: 'e' })).status).toBe(200);
    await taken(5);
    expect(
      system
        .receipts()
        .map((r) => r.id)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd', 'e']);
    await system.stop();
    await expect(unanswered).rejects.toThrow();
  });

  it('is busy the first time and takes the second try', async () => {
    await start({ behaviour: { answer: 'second-time' } });
    expect([(await deliver()).status, (await deliver()).status]).toEqual([503, 200]);
    expect(system.stats()).toMatchObject({ accepted: 1, repeats: 1 });
  });

  it('agrees with the foreign signer on any body, and never throws on any headers', () => {
    const at = new Date(1_795_000_000_000);
    const timestamp = '1795000000';
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[!-~]{1,30}$/), (body, id) => {
        const signature = new Webhook(SECRET).sign(id, at, body);
        expect(
          signatureFault({ id, timestamp, signature }, Buffer.from(body), [SECRET], at.getTime()),
        ).toBeNull();
        expect(
          signatureFault({ id, timestamp, signature }, Buffer.from(`${body} `), [SECRET], at.getTime()),
        ).toBe('signature-wrong');
      }),
    );
    const anything = fc.option(fc.string(), { nil: undefined });
    fc.assert(
      fc.property(anything, anything, anything, (id, stamp, signature) => {
        expect(
          signatureFault({ id, timestamp: stamp, signature }, Buffer.from(''), [SECRET], at.getTime()),
        ).not.toBeNull();
      }),
    );
  });
});
