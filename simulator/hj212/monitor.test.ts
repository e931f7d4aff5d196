import { afterEach, describe, expect, it } from 'vitest';
import { type Stage, startStage, until } from '../../devices/hj212-gateway/testing/stage.ts';
import {
  checksum,
  frameOf,
  HostReader,
  type MonitorState,
  meansText,
  repliesTo,
  startMonitor,
} from './index.ts';

/** The simulated monitor: by itself, and with the product's own gateway. */

const MN = '010000A8900016F000169DC0';
const state = (more: Partial<MonitorState> = {}): MonitorState => ({
  mn: MN,
  pw: '123456',
  st: '39',
  edition: 2017,
  checksum: 'standard',
  realtimeOn: true,
  realtimeIntervalS: 1,
  minuteInterval: 1,
  clockAheadMs: 0,
  ...more,
});
const NOW = Date.UTC(2026, 10, 22, 4, 0, 30);

describe('frames', () => {
  it('have the checksum of the standard’s own examples', () => {
    const segment =
      'QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&';
    expect(checksum(Buffer.from(segment), 'standard')).toBe('1C80');
    // CRC-16/MODBUS of "123456789" is 0x4B37 in every catalogue of checksums.
    expect(checksum(Buffer.from('123456789'), 'modbus')).toBe('4B37');
    expect(frameOf(segment).toString()).toBe(`##0101${segment}1C80\r\n`);
  });

  it('are cut however they come, and dropped with a wrong checksum', () => {
    const bytes = Buffer.concat([
      Buffer.from('noise'),
      frameOf('QN=1;CN=9014;MN=A;CP=&&&&'),
      frameOf('QN=2;CN=9014;MN=A;CP=&&&&', 'modbus'),
      frameOf('QN=3;CN=1012;MN=A;CP=&&SystemTime=20261122120000&&'),
    ]);
    const reader = new HostReader();
    const heard = [...bytes].flatMap((byte) => reader.push(Buffer.from([byte])));
    expect(heard.map((f) => f.head.get('QN'))).toEqual(['1', '3']);
    expect(heard[1]?.cp.get('SystemTime')).toBe('20261122120000');
  });
});

describe('what the host asks', () => {
  const ask = (cn: string, cp: string, of: MonitorState, more = '') => {
    const reader = new HostReader();
    const [request] = reader.push(
      frameOf(`QN=20261122120000000;ST=39;CN=${cn};PW=123456;MN=${MN};Flag=5;${more}CP=&&${cp}&&`),
    );
    return repliesTo(request!, of, NOW).map((frame) => frame.toString().slice(6, -6));
  };
  const cns = (frames: string[]) => frames.map((f) => /CN=(\d+)/.exec(f)?.[1]);

  it('is done: clock, intervals, start and stop', () => {
    const monitor = state();
    expect(ask('1012', 'SystemTime=20261122120100', monitor)).toEqual([
      `QN=20261122120000000;ST=91;CN=9011;PW=123456;MN=${MN};Flag=4;CP=&&QnRtn=1&&`,
      `QN=20261122120000000;ST=91;CN=9012;PW=123456;MN=${MN};Flag=4;CP=&&ExeRtn=1&&`,
    ]);
    expect(monitor.clockAheadMs).toBe(30_000);
    expect(ask('1011', '', monitor)[1]).toContain('CP=&&SystemTime=20261122120100&&');
    ask('1062', 'RtdInterval=60', monitor);
    expect(ask('1061', '', monitor)[1]).toContain('RtdInterval=60');
    expect(cns(ask('2012', '', monitor))).toEqual(['9013']);
    expect(monitor).toMatchObject({ realtimeOn: false, realtimeIntervalS: 60 });
  });

  it('may be history, which is the same whenever it is told', () => {
    const span = 'BeginTime=20261122110000;EndTime=20261122110200';
    const told = ask('2051', span, state());
    expect(cns(told)).toEqual(['9011', '2051', '2051', '2051', '9012']);
    expect(told[1]).toContain(meansText(MN, Date.UTC(2026, 10, 22, 3), 60_000));
    expect(ask('2051', 'BeginTime=20270101000000;EndTime=20270101010000', state()).at(-1)).toContain(
      'ExeRtn=100',
    );
  });

  it('is refused with the code of the standard when it is wrong', () => {
    expect(ask('1011', '', state({ pw: '654321' }))[0]).toContain('QnRtn=3');
    expect(ask('1011', '', state({ mn: 'OTHER' }))[0]).toContain('QnRtn=4');
    expect(ask('3011', '', state())[0]).toContain('QnRtn=8');
  });

  it('is answered in 2005 with the QN in CP', () => {
    expect(ask('2011', '', state({ edition: 2005 }))[0]).toBe(
      `ST=91;CN=9011;PW=123456;MN=${MN};Flag=0;CP=&&QN=20261122120000000;QnRtn=1&&`,
    );
  });
});

describe('with the gateway', () => {
  let stage: Stage;
  afterEach(() => stage.close());

  it.each([
    [2017, 'standard', 1],
    [2005, 'standard', 1],
    [2025, 'standard', 3],
  ] as const)('a monitor of %i is answered and asked', async (edition, checksum, packets) => {
    stage = await startStage();
    const monitor = startMonitor({
      host: '127.0.0.1',
      port: stage.gateway.port,
      state: state({ edition, checksum, clockAheadMs: 3_600_000 }),
      packets,
      asksForTime: true,
      replyTimeoutMs: 5_000,
      retries: 3,
    });
    await until(
      () => monitor.counts().acknowledged >= 2 * packets && monitor.counts().requests['1012'] === 1,
    );
    // The gateway's clock stands at 12:00:00.
    const read = await stage.gateway.request('dust-01', { cn: '1011' });
    expect(read).toMatchObject({
      outcome: 'done',
      answer: { SystemTime: expect.stringMatching(/^2026112212000\d$/) },
    });
    expect(await stage.gateway.request('dust-01', { cn: '2012' })).toMatchObject({ outcome: 'done' });
    expect(monitor.counts()).toMatchObject({ resent: 0, unanswered: 0 });
    await monitor.stop();
  });

  it('what was not answered is told again later, of 2025 with RF=1', async () => {
    stage = await startStage();
    const { store } = stage;
    stage.store = async () => {
      throw new Error('no room');
    };
    const monitor = startMonitor({
      host: '127.0.0.1',
      port: stage.gateway.port,
      state: state({ edition: 2025 }),
      packets: 1,
      asksForTime: false,
      replyTimeoutMs: 200,
      retries: 1,
    });
    await until(() => monitor.counts().unanswered > 0);
    expect(monitor.counts().acknowledged).toBe(0);
    stage.store = store;
    await until(
      () => stage.received.some((m) => m.payload.includes(';RF=1;')) && monitor.counts().acknowledged > 0,
    );
    await monitor.stop();
  });
});
