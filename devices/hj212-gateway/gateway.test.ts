import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { manualClock } from '../../backbone/clock.ts';
import { Hj212GatewayConfig } from './config.ts';
import { startHj212Gateway } from './gateway.ts';
import {
  directory,
  MN,
  MODBUS_MN,
  NOW,
  OTHER_MN,
  qnOf,
  realtime,
  type Stage,
  startStage,
  TAKEN,
  until,
} from './testing/stage.ts';

/** Frames in, answers out: with a foreign monitor on a real socket. */

let stage: Stage;
afterEach(() => stage.close());

describe('an uploaded frame', () => {
  it('is answered with 9014, echoing its own QN, as the standard writes it', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: realtime(5, MN, '20160801085857223') });
    await until(() => one.heard.length === 1);
    expect(one.heard[0]).toEqual({
      segment: `QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=${MN};Flag=4;CP=&&&&`,
      crcOk: true,
      crc: 'standard',
    });
    expect(stage.received[0]).toMatchObject({ topic: `hj212/${MN}`, authenticatedDevice: null });
    expect(stage.received[0]?.payload.toString()).toMatch(/^##\d{4}QN=20160801085857223;.*&&[0-9A-F]{4}$/);
  });

  it('of 2025 is answered with Flag=8, one of 2005 with the QN in CP', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: realtime(9, MN, '20260801085857223') });
    one.tell({ send: `QN=20040516010101001;${realtime(1).slice(21)}` });
    await until(() => one.heard.length === 2);
    expect(one.heard.map((h) => h.segment)).toEqual([
      `QN=20260801085857223;ST=91;CN=9014;PW=123456;MN=${MN};Flag=8;CP=&&&&`,
      `ST=91;CN=9014;PW=123456;MN=${MN};Flag=0;CP=&&QN=20040516010101001&&`,
    ]);
  });

  it('that asks for no answer gets none; one without Flag only if so configured', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: realtime(4) });
    one.tell({ send: realtime().replace('Flag=5;', '') });
    one.tell({ send: realtime(5, MN, '20261122115959999') });
    await until(() => one.heard.length > 0);
    expect(one.heard.map((h) => qnOf(h.segment))).toEqual(['20261122115959999']);
    expect(stage.received).toHaveLength(3);
  });

  it('is the same one however TCP splits and joins it', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: realtime(), split: 1 });
    one.tell({ send: realtime(), split: 7 });
    const [a, b] = [realtime(), realtime()];
    const frames = [a, b].map((s) => Buffer.from(`##${String(s.length).padStart(4, '0')}${s}`));
    expect(frames).toHaveLength(2);
    one.tell({ send: a });
    one.tell({ send: b });
    await until(() => one.heard.length === 4);
    expect(one.heard.every((h) => h.crcOk)).toBe(true);
    expect(stage.received.map((m) => qnOf(m.payload.toString()))).toEqual(
      one.heard.map((h) => qnOf(h.segment)),
    );
  });

  it('in packets is acknowledged packet by packet, each by its own QN', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    const packet = (no: number, qn: string) => realtime(7, MN, qn).replace('CP=', `PNUM=2;PNO=${no};CP=`);
    one.tell({ send: packet(1, '20261122115959534') });
    one.tell({ send: packet(2, '20261122115959535') });
    await until(() => one.heard.length === 2);
    expect(one.heard.map((h) => qnOf(h.segment))).toEqual(['20261122115959534', '20261122115959535']);
  });

  it('is answered with CRC16/MODBUS where the profile says so, and only there', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: realtime(5, MODBUS_MN), crc: 'modbus' });
    await until(() => one.heard.length === 1);
    expect(one.heard[0]).toMatchObject({ crcOk: true, crc: 'modbus' });
    one.tell({ send: realtime(5, MN), crc: 'modbus' });
    one.tell({ send: realtime(5, MN, '20261122115959998') });
    await until(() => one.heard.length === 2);
    expect(qnOf(one.heard[1]?.segment ?? '')).toBe('20261122115959998');
    // What it is refused for is the codec's to say: it gets the frame.
    expect(stage.received).toHaveLength(3);
  });

  it('may be longer than 1,024 bytes only where the profile allows it', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    const long = (mn: string) => realtime(5, mn).replace('&&', `&&Info=${'x'.repeat(2_000)};`);
    one.tell({ send: long(OTHER_MN) });
    one.tell({ send: long(MN) });
    one.tell({ send: realtime(5, MN) });
    await until(() => one.heard.length === 2);
    expect(one.heard.map((h) => /MN=(\w+)/.exec(h.segment ?? '')?.[1])).toEqual([OTHER_MN, MN]);
    expect(stage.received.map((m) => m.fault?.reason ?? null)).toEqual([null, 'payload-too-large', null]);
  });
});

describe('the answer', () => {
  it('waits until the frame is durable; frames behind it go on meanwhile', async () => {
    stage = await startStage();
    let durable: () => void = () => undefined;
    const [first, second] = [realtime(), realtime()];
    stage.store = (message) =>
      message.payload.includes(qnOf(first) ?? '')
        ? new Promise((resolve) => {
            durable = () => resolve(TAKEN);
          })
        : Promise.resolve(TAKEN);
    const one = await stage.monitor();
    one.tell({ send: first });
    one.tell({ send: second });
    await until(() => one.heard.length === 1);
    await pause(50);
    expect(one.heard.map((h) => qnOf(h.segment))).toEqual([qnOf(second)]);
    durable();
    await until(() => one.heard.length === 2);
    expect(qnOf(one.heard[1]?.segment ?? '')).toBe(qnOf(first));
  });

  it('never comes while the store is away; the repeated frame is answered when it is back', async () => {
    stage = await startStage();
    let away = true;
    stage.store = async () => {
      if (away) throw new Error('no room');
      return TAKEN;
    };
    const one = await stage.monitor();
    const segment = realtime();
    one.tell({ send: segment });
    await until(() => stage.received.length === 1);
    await pause(100);
    expect(one.heard).toEqual([]);
    expect(stage.gateway.health().ok).toBe(false);
    away = false;
    one.tell({ send: segment });
    await until(() => one.heard.length === 1);
    expect(qnOf(one.heard[0]?.segment ?? '')).toBe(qnOf(segment));
    expect(stage.gateway.health()).toEqual({ ok: true, problems: [] });
  });

  it('is not needed for a frame that asks for none to be kept: it is tried until it is stored', async () => {
    stage = await startStage();
    let failures = 2;
    let stored = 0;
    stage.store = async () => {
      if (failures-- > 0) throw new Error('no room');
      stored += 1;
      return TAKEN;
    };
    const one = await stage.monitor();
    one.tell({ send: realtime(4) });
    await until(() => stored === 1);
    expect(stage.received).toHaveLength(3);
  });

  it('to a repeat comes again', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    const segment = realtime();
    one.tell({ send: segment });
    stage.store = async () => ({ outcome: 'duplicate', reason: null });
    one.tell({ send: segment });
    await until(() => one.heard.length === 2);
    expect(one.heard[0]).toEqual(one.heard[1]);
  });

  it('comes for what is safe in quarantine, but not when its checksum is wrong', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    stage.store = async () => ({ outcome: 'quarantined', reason: 'value-out-of-range' });
    one.tell({ send: realtime() });
    await until(() => one.heard.length === 1);
    stage.store = async (message) => ({
      outcome: 'quarantined',
      reason: message.fault?.reason ?? 'crc-mismatch',
    });
    one.tell({ send: realtime(), crc: 'wrong' });
    one.tell({ send: realtime() });
    await until(() => stage.received.length === 3);
    await pause(50);
    expect(one.heard).toHaveLength(1);
    expect(stage.received[1]).toMatchObject({ topic: `hj212/${MN}`, fault: { reason: 'crc-mismatch' } });
  });

  it('reaches a device that has closed its side already', async () => {
    stage = await startStage();
    let durable: () => void = () => undefined;
    stage.store = () => new Promise((resolve) => (durable = () => resolve(TAKEN)));
    const one = await stage.monitor();
    one.tell({ send: realtime() });
    one.tell({ close: true });
    await until(() => stage.received.length === 1);
    await pause(50);
    durable();
    await until(() => one.heard.length === 2);
    expect(one.heard[1]).toEqual({ closed: true });
    expect(one.cns()).toEqual(['9014']);
  });
});

describe('broken input', () => {
  it('goes to quarantine piece by piece, put down to the device of the connection', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: realtime() });
    one.tell({ raw: Buffer.from('GET / HTTP/1.1\r\n').toString('hex') });
    one.tell({ send: realtime() });
    await until(() => stage.received.length === 3);
    expect(stage.received[1]).toMatchObject({ topic: `hj212/${MN}`, fault: { reason: 'malformed' } });
    expect(stage.received[1]?.payload.toString()).toBe('GET / HTTP/1.1\r\n');
    await until(() => one.heard.length === 2);
  });

  it('that does not end ends the connection, and others go on', async () => {
    stage = await startStage({ maxBrokenPerMinute: 5 });
    const one = await stage.monitor();
    const socket = await stage.rawSocket();
    socket.write('no frame\r\n'.repeat(1_000));
    await once(socket, 'close');
    expect(stage.received).toHaveLength(5);
    one.tell({ send: realtime() });
    await until(() => one.heard.length === 1);
    expect(await stage.metrics.getSingleMetricAsString('qianliyan_hj212_ended_total')).toContain(
      'reason="too-much-broken"} 1',
    );
  });

  it('may be a frame that the connection ended in', async () => {
    stage = await startStage();
    const socket = await stage.rawSocket();
    socket.end('##0200QN=20261122115959001;ST=39;CN=2011;PW=123456;MN=');
    await until(() => stage.received.length === 1);
    expect(stage.received[0]).toMatchObject({ topic: 'hj212', fault: { reason: 'malformed' } });
  });

  it('may name no device', async () => {
    stage = await startStage();
    const one = await stage.monitor();
    one.tell({ send: realtime().replace(/MN=\w+;/, '') });
    await until(() => stage.received.length === 1);
    expect(stage.received[0]).toMatchObject({ topic: 'hj212', fault: { reason: 'malformed' } });
    expect(one.heard).toEqual([]);
  });

  it('is silence too: who says nothing sound is let go', async () => {
    stage = await startStage({ firstFrameS: 1 });
    const socket = await stage.rawSocket();
    socket.resume();
    await once(socket, 'close');
    expect(stage.received).toEqual([]);
  });
});

describe('connections', () => {
  it('carry devices by MN: sessions begin with the first frame and end with the connection', async () => {
    stage = await startStage();
    const relay = await stage.monitor();
    relay.tell({ send: realtime(5, MN) });
    relay.tell({ send: realtime(5, OTHER_MN) });
    relay.tell({ send: realtime(5, 'STRANGER') });
    await until(() => relay.heard.length === 3);
    expect(stage.received.map((m) => m.topic)).toEqual([
      `hj212/${MN}`,
      `hj212/${OTHER_MN}`,
      'hj212/STRANGER',
    ]);
    const second = await stage.monitor();
    second.tell({ send: realtime(5, MN) });
    await until(() => second.heard.length === 1);
    expect(stage.sessions).toEqual(['dust-01 connected', 'dust-02 connected']);
    relay.tell({ reset: true });
    await until(() => stage.sessions.length === 3);
    second.tell({ close: true });
    await until(() => stage.sessions.length === 4);
    expect(stage.sessions.slice(2)).toEqual(['dust-02 lost', 'dust-01 disconnected']);
  });

  it('come only from where they may', async () => {
    stage = await startStage({ allowFrom: ['10.0.0.0/8'] });
    const socket = await stage.rawSocket();
    await once(socket, 'close');
    expect(Hj212GatewayConfig.safeParse({ allowFrom: ['10.0.0.0/33'] }).success).toBe(false);
  });

  it('of strangers end where so configured', async () => {
    stage = await startStage({ unknownDevices: 'disconnect' });
    stage.store = async () => ({ outcome: 'quarantined', reason: 'device-unknown' });
    const one = await stage.monitor();
    one.tell({ send: realtime(5, 'STRANGER') });
    await until(() => one.heard.some((h) => h.closed === true));
    expect(one.cns()).toEqual([]);
    expect(stage.received).toHaveLength(1);
  });

  it('that name one stranger after the other end before they fill the quarantine', async () => {
    stage = await startStage({ maxStrangersPerMinute: 3 });
    const one = await stage.monitor();
    for (let i = 0; i < 5; i++) one.tell({ send: realtime(4, `STRANGER${i}`) });
    await until(() => one.heard.some((h) => h.closed === true));
    expect(stage.received).toHaveLength(3);
  });

  it('that flood are read no further than their bound, and others are answered meanwhile', async () => {
    stage = await startStage({ maxInFlight: 10 });
    const held: (() => void)[] = [];
    stage.store = (message) =>
      message.topic === `hj212/${OTHER_MN}`
        ? Promise.resolve(TAKEN)
        : new Promise((resolve) => held.push(() => resolve(TAKEN)));
    const flood = await stage.monitor();
    for (let i = 0; i < 2_000; i++) flood.tell({ send: realtime() });
    await until(() => stage.received.length >= 10);
    await pause(200);
    const before = stage.received.length;
    expect(before).toBeLessThan(1_500);
    const other = await stage.monitor();
    other.tell({ send: realtime(5, OTHER_MN) });
    await until(() => other.heard.length === 1);
    stage.store = async () => TAKEN;
    for (const release of held) release();
    await until(() => flood.heard.length === 2_000);
  });

  it('are answered for what is under way when the gateway stops', async () => {
    stage = await startStage();
    stage.store = async () => {
      await pause(100);
      return TAKEN;
    };
    const one = await stage.monitor();
    one.tell({ send: realtime() });
    await until(() => stage.received.length === 1);
    await stage.gateway.stop();
    await until(() => one.heard.length === 2);
    expect(one.cns()).toEqual(['9014']);
  });
});

describe('starting', () => {
  it('says which port is taken, and by which setting to change it', async () => {
    stage = await startStage();
    const { port } = stage.gateway;
    await expect(
      startHj212Gateway(Hj212GatewayConfig.parse({ port }), {
        directory,
        accept: async () => TAKEN,
        session: () => undefined,
        clock: manualClock(NOW),
        log: pino({ level: 'silent' }),
        metrics: new Metrics(),
        utcOffsetMs: 0,
      }),
    ).rejects.toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining('hj212.port') });
  });
});
