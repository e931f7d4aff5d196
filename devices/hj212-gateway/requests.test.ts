import { afterEach, describe, expect, it } from 'vitest';
import { MN, NOW, qnOf, realtime, type Stage, startStage, until } from './testing/stage.ts';

/** Dialogues: what a monitor tells us, and what we ask it. */

let stage: Stage;
afterEach(() => stage.close());

describe('notifications', () => {
  it.each(['1001', '1014', '9015'])('%s is answered with 9013', async (cn) => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: `QN=20261122115959001;ST=31;CN=${cn};PW=123456;MN=${MN};Flag=9;CP=&&&&` });
    await until(() => one.heard.length === 1);
    expect(one.heard[0]?.segment).toBe(
      `QN=20261122115959001;ST=91;CN=9013;PW=123456;MN=${MN};Flag=8;CP=&&&&`,
    );
  });

  it('1013 is answered with 9013, and then the clock is set', async () => {
    stage = await startStage();
    const one = await stage.monitor('--auto');
    one.tell({ send: `QN=20261122115959001;ST=31;CN=1013;PW=123456;MN=${MN};Flag=5;CP=&&PolId=w01018&&` });
    await until(() => stage.received.length === 3);
    expect(one.cns()).toEqual(['9013', '1012']);
    expect(one.heard[1]?.segment).toMatch(
      new RegExp(`^QN=\\d{17};ST=31;CN=1012;PW=123456;MN=${MN};Flag=5;CP=&&SystemTime=20261122120000&&$`),
    );
    expect(stage.received.map((m) => /CN=(\d{4})/.exec(m.payload.toString())?.[1])).toEqual([
      '1013',
      '9011',
      '9012',
    ]);
  });
});

describe('requests', () => {
  const connected = async (...options: string[]) => {
    const one = await stage.monitor(...options);
    one.tell({ send: realtime(4) });
    await until(() => stage.sessions.length > 0);
    return one;
  };

  it('read the clock of a device, and measure how far it is off', async () => {
    stage = await startStage();
    await connected('--auto');
    await expect(stage.gateway.request('dust-01', { cn: '1011' })).resolves.toMatchObject({
      device: 'dust-01',
      outcome: 'done',
      qnRtn: 1,
      exeRtn: 1,
      frames: 1,
      answer: { SystemTime: '20260101000000' },
      clockOffS: (Date.UTC(2025, 11, 31, 16) - NOW) / 1_000,
      tries: 1,
    });
  });

  it('set, fetch and stop', async () => {
    stage = await startStage();
    const one = await connected('--auto');
    await expect(stage.gateway.request('dust-01', { cn: '1062', intervalS: 60 })).resolves.toMatchObject({
      outcome: 'done',
    });
    const span = { from: '2026-11-22T10:00:00+08:00', to: '2026-11-22T10:59:00+08:00' };
    await expect(stage.gateway.request(`hj212:${MN}`, { cn: '2051', ...span })).resolves.toMatchObject({
      outcome: 'done',
      frames: 2,
    });
    await expect(stage.gateway.request('dust-01', { cn: '2012' })).resolves.toMatchObject({
      outcome: 'done',
      qnRtn: null,
    });
    await until(() => one.heard.length === 3);
    expect(one.heard.map((h) => /CP=&&(.*)&&/.exec(h.segment ?? '')?.[1])).toEqual([
      'RtdInterval=60',
      'BeginTime=20261122100000;EndTime=20261122105900',
      '',
    ]);
    // The history that came is stored like any other data.
    expect(stage.received.filter((m) => m.payload.includes('CN=2051'))).toHaveLength(2);
  });

  it('are sent again until the device answers, and end with a named outcome if it does not', async () => {
    stage = await startStage({ replyTimeoutS: 0.1, retries: 3 });
    const one = await connected();
    await expect(stage.gateway.request('dust-01', { cn: '1011' })).resolves.toMatchObject({
      outcome: 'no-answer',
      tries: 4,
    });
    await until(() => one.heard.length === 4);
    expect(new Set(one.heard.map((h) => h.segment)).size).toBe(1);
  });

  it('end when the device refuses, fails, falls silent or goes away', async () => {
    stage = await startStage({ executionTimeoutS: 0.2 });
    const one = await connected();
    const ask = async (...replies: [cn: string, cp: string][]) => {
      const heard = one.heard.length;
      const result = stage.gateway.request('dust-01', { cn: '2011' });
      await until(() => one.heard.length > heard);
      const qn = qnOf(one.heard[heard]?.segment ?? '');
      for (const [cn, cp] of replies)
        one.tell({ send: `QN=${qn};ST=91;CN=${cn};PW=123456;MN=${MN};Flag=4;CP=&&${cp}&&` });
      return result;
    };
    expect(await ask(['9011', 'QnRtn=3'])).toMatchObject({ outcome: 'refused', qnRtn: 3, exeRtn: null });
    expect(await ask(['9011', 'QnRtn=1'], ['9012', 'ExeRtn=100'])).toMatchObject({
      outcome: 'failed',
      exeRtn: 100,
    });
    expect(await ask(['9011', 'QnRtn=1'])).toMatchObject({ outcome: 'no-result', exeRtn: null });
    const heard = one.heard.length;
    const last = stage.gateway.request('dust-01', { cn: '2011' });
    await until(() => one.heard.length > heard);
    one.tell({ reset: true });
    expect(await last).toMatchObject({ outcome: 'connection-lost' });
  });

  it('understand a device of 2005, whose replies have the QN in CP', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: realtime(0).slice(21) });
    await until(() => stage.sessions.length > 0);
    const result = stage.gateway.request('dust-01', { cn: '2011' });
    await until(() => one.heard.length === 1);
    expect(one.heard[0]?.segment).toContain('Flag=1;');
    const qn = qnOf(one.heard[0]?.segment ?? '');
    one.tell({ send: `ST=91;CN=9011;PW=123456;MN=${MN};Flag=0;CP=&&QN=${qn};QnRtn=1&&` });
    one.tell({ send: `ST=91;CN=9012;PW=123456;MN=${MN};CP=&&QN=${qn};ExeRtn=1&&` });
    expect(await result).toMatchObject({ outcome: 'done' });
  });

  it('need a device that is known, speaks HJ 212 and is connected', async () => {
    stage = await startStage();
    await expect(stage.gateway.request('nobody', { cn: '1011' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(stage.gateway.request('dust-01', { cn: '1011' })).rejects.toMatchObject({
      code: 'ILLEGAL_TRANSITION',
    });
  });
});
