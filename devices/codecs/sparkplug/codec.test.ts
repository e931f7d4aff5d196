import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { get } from 'sparkplug-payload';
import { beforeEach, describe, expect, it } from 'vitest';
import { Device, type DeviceInput, type RegisteredDevice } from '../../../contracts/index.ts';
import type { Codec, Decoded } from '../codec.ts';
import { sparkplug } from './codec.ts';

/** The codec as a node's messages meet it, one behind the other; payloads are made by sparkplug-payload's encoder. */

const NOW = 1_795_000_000_000;
const encoder = get('spBv1.0');
if (encoder === null) throw new Error('no encoder');
type Payload = Parameters<typeof encoder.encodePayload>[0];
type Metric = NonNullable<Payload['metrics']>[number];
const encode = (payload: Payload) => Buffer.from(encoder.encodePayload(payload));

const SITE = { kind: 'sensor', name: 'x', site: 'site-01', location: [123.41, 41.8] } as const;
const stream = (property: string, unit: string | null, range: [number, number] = [-1e6, 1e6]) =>
  ({ property, unit, range, intervalS: 30 }) as const;

function device(input: Omit<DeviceInput, keyof typeof SITE>): RegisteredDevice {
  const record = { ...SITE, ...input, name: { zh: input.id, en: input.id } };
  return { ...Device.parse(record), version: 1, since: 0 };
}

let registry: RegisteredDevice[];
let codec: Codec;
/** Who is signed in; null: nobody. */
let sender: string | null;
let now: number;

beforeEach(() => {
  registry = [
    device({ id: 'edge-01', addresses: ['sparkplug:plant/edge'], datastreams: [stream('TEMP', 'Cel')] }),
    device({
      id: 'dust-01',
      addresses: ['sparkplug:plant/edge/dust'],
      gateway: 'edge-01',
      datastreams: [stream('TSP', 'mg/m3'), stream('PM10', 'ug/m3')],
    }),
    device({ id: 'other-01', addresses: ['sparkplug:plant/other'] }),
  ];
  const find = (name: string) => registry.find((one) => one.id === name || one.addresses.includes(name));
  codec = sparkplug({ maxInflatedBytes: 4_000_000, devices: { find } });
  sender = null;
  now = NOW;
});

function hear(topic: string, payload: Payload | Buffer, again = false): Decoded {
  const address = codec.match(`spBv1.0/plant/${topic}`);
  if (address === null) throw new Error('no topic of its own');
  const bytes = Buffer.isBuffer(payload) ? payload : encode(payload);
  const input = {
    address,
    payload: bytes,
    receivedAt: now,
    device: undefined,
    userProperties: {},
    sender,
    again,
  };
  const decoded = codec.decode(input);
  if (decoded instanceof Promise)
    throw new Error('decoded later: messages of a node could overtake each other');
  return decoded;
}

/** What came of it, in short: one line a part, and whom it asks. */
function short(decoded: Decoded): string[] {
  if (decoded.kind !== 'several')
    return [`${decoded.kind} ${'reason' in decoded ? decoded.reason : ''}`.trim()];
  const lines = decoded.parts.flatMap(({ device: name, decoded: one }) => {
    const who = name.replace('sparkplug:plant/', '');
    if (one.kind === 'status') return [`${who} ${one.status}`];
    if (one.kind === 'rejected') return [`${who} rejected ${one.reason}`];
    if (one.kind !== 'readings') return [`${who} ${one.kind}`];
    const bad = (one.rejected ?? []).map(({ reason }) => `${who} rejected ${reason}`);
    return [...one.readings.map((r) => `${who} ${r.property}=${r.value}`), ...bad];
  });
  return [...lines, ...(decoded.send ?? []).map(({ topic }) => `ask ${topic}`)];
}

const bdSeq = (value: number): Metric => ({ name: 'bdSeq', type: 'UInt64', value });
const double = (name: string, value: number | null, more: Partial<Metric> = {}): Metric => ({
  name,
  type: 'Double',
  value,
  ...more,
});
/** As DATA has them since Sparkplug 3.0: the alias alone. */
const byAlias = (alias: number, value: number): Metric => ({ alias, type: 'Double', value }) as Metric;
const at = (seq: number, ...metrics: Metric[]): Payload => ({ timestamp: NOW, seq, metrics });

const nbirth = (session = 0) => hear('NBIRTH/edge', at(0, bdSeq(session), double('TEMP', 20, { alias: 1 })));
const dbirth = (seq = 1) =>
  hear('DBIRTH/edge/dust', at(seq, double('TSP', 0.1, { alias: 7 }), double('PM10', 80, { alias: 8 })));
const ASK = 'ask spBv1.0/plant/NCMD/edge';

describe('a session', () => {
  it('begins with births, which bring values, and goes on with aliases', () => {
    expect(short(nbirth())).toEqual(['edge online', 'edge TEMP=20']);
    expect(short(dbirth())).toEqual(['edge/dust online', 'edge/dust TSP=0.1', 'edge/dust PM10=80']);
    expect(short(hear('DDATA/edge/dust', at(2, byAlias(7, 0.2))))).toEqual(['edge/dust TSP=0.2']);
    expect(short(hear('NDATA/edge', at(3, byAlias(1, 21))))).toEqual(['edge TEMP=21']);
  });

  it('counts to 255 and goes on with 0', () => {
    nbirth();
    dbirth();
    for (let seq = 2; seq < 600; seq++) {
      expect(short(hear('NDATA/edge', at(seq % 256, byAlias(1, seq))))).toEqual([`edge TEMP=${seq}`]);
    }
  });

  it('counts messages of devices that nobody registered', () => {
    nbirth();
    hear('DBIRTH/edge/pump', at(1, double('RPM', 900, { alias: 3 })));
    expect(short(hear('NDATA/edge', at(2, byAlias(1, 21))))).toEqual(['edge TEMP=21']);
  });

  it('ends with the death of the node, which is that of its devices', () => {
    nbirth();
    dbirth();
    expect(short(hear('NDEATH/edge', { timestamp: NOW, metrics: [bdSeq(0)] }))).toEqual([
      'edge offline',
      'edge/dust offline',
    ]);
    expect(short(hear('DDATA/edge/dust', at(2, byAlias(7, 0.2))))).toEqual([
      'edge/dust rejected birth-missing',
      ASK,
    ]);
  });

  it('outlives the late death of an earlier one', () => {
    nbirth(4);
    nbirth(5);
    dbirth();
    expect(short(hear('NDEATH/edge', { timestamp: NOW, metrics: [bdSeq(4)] }))).toEqual(['edge nothing']);
    expect(short(hear('DDATA/edge/dust', at(2, byAlias(7, 0.2))))).toEqual(['edge/dust TSP=0.2']);
  });

  it('makes a device go and come alone', () => {
    nbirth();
    dbirth();
    expect(short(hear('DDEATH/edge/dust', at(2)))).toEqual(['edge/dust offline']);
    expect(short(dbirth(3))).toContain('edge/dust online');
    expect(short(hear('DDATA/edge/dust', at(4, byAlias(8, 81))))).toEqual(['edge/dust PM10=81']);
  });

  it('gives aliases anew with each birth of the node', () => {
    nbirth();
    dbirth();
    hear('NBIRTH/edge', at(0, bdSeq(1), double('TEMP', 20, { alias: 7 })));
    expect(short(hear('DDATA/edge/dust', at(1, byAlias(7, 0.3))))).toEqual([
      'edge/dust rejected birth-missing',
      ASK,
    ]);
    expect(short(hear('NDATA/edge', at(2, byAlias(7, 22))))).toEqual(['edge TEMP=22']);
  });

  it('does not guess between two metrics with one alias', () => {
    nbirth();
    hear('DBIRTH/edge/dust', at(1, double('TSP', 0.1, { alias: 7 }), double('PM10', 80, { alias: 7 })));
    expect(short(hear('DDATA/edge/dust', at(2, byAlias(7, 0.2))))).toEqual([
      'edge/dust rejected birth-missing',
    ]);
  });
});

describe('the request for births', () => {
  it('goes out at the first data after a start, and says what Sparkplug has for it', () => {
    const decoded = hear('DDATA/edge/dust', at(200, byAlias(7, 0.2)));
    expect(short(decoded)).toEqual(['edge/dust rejected birth-missing', ASK]);
    const payload = encoder?.decodePayload(decoded.send?.[0]?.payload ?? Buffer.alloc(0));
    expect(payload?.metrics).toMatchObject([{ name: 'Node Control/Rebirth', type: 'Boolean', value: true }]);
  });

  it('is no storm: one in 30 s, for each node', () => {
    const asked: number[] = [];
    for (now = NOW; now < NOW + 70_000; now += 1_000) {
      const decoded = hear('NDATA/edge', at(9, byAlias(1, 20)));
      if (decoded.send !== undefined) asked.push((now - NOW) / 1_000);
    }
    expect(asked).toEqual([0, 30, 60]);
    expect(hear('NDATA/other', at(9, byAlias(1, 20))).send).toHaveLength(1);
  });

  it('goes out after a gap, and what came behind the gap is taken', () => {
    nbirth();
    dbirth();
    expect(short(hear('DDATA/edge/dust', at(5, byAlias(7, 0.4))))).toEqual(['edge/dust TSP=0.4', ASK]);
    now += 60_000;
    expect(short(hear('DDATA/edge/dust', at(6, byAlias(7, 0.5))))).toEqual(['edge/dust TSP=0.5']);
  });

  it('does not go out for a message that came twice, or for one without a number', () => {
    nbirth();
    dbirth();
    const one = at(2, byAlias(7, 0.2));
    hear('DDATA/edge/dust', one);
    expect(short(hear('DDATA/edge/dust', one))).toEqual(['edge/dust TSP=0.2']);
    expect(short(hear('DDATA/edge/dust', { timestamp: NOW, metrics: [byAlias(7, 0.3)] }))).toEqual([
      'edge/dust TSP=0.3',
    ]);
    expect(short(hear('DDATA/edge/dust', at(3, byAlias(7, 0.4))))).toEqual(['edge/dust TSP=0.4']);
  });

  it('does not go out at the word of somebody who may not speak for the node', () => {
    sender = 'dust-01';
    expect(short(hear('DDATA/edge/dust', at(9, byAlias(7, 1))))).not.toContain(ASK);
    sender = 'edge-01';
    expect(short(hear('DDATA/edge/dust', at(9, byAlias(7, 1))))).toContain(ASK);
  });
});

describe('who says it', () => {
  it('keeps the births of one sender from the data of another', () => {
    sender = 'edge-01';
    nbirth();
    sender = 'other-01';
    hear('NBIRTH/edge', at(0, bdSeq(9), double('PRESSURE', 1, { alias: 1 })));
    hear('NDEATH/edge', { timestamp: NOW, metrics: [bdSeq(9)] });
    sender = 'edge-01';
    expect(short(hear('NDATA/edge', at(1, byAlias(1, 23))))).toEqual(['edge TEMP=23']);
  });

  it('passes commands and STATE by when it reads a broker, and refuses them from a device', () => {
    for (const topic of ['NCMD/edge', 'DCMD/edge/dust', 'STATE/scada']) {
      expect(hear(topic, Buffer.from('x'))).toEqual({ kind: 'several', parts: [] });
    }
    sender = 'edge-01';
    expect(short(hear('NCMD/edge', at(0)))).toEqual(['rejected topic-unknown']);
  });

  it.each([
    'NBIRTH',
    'NBIRTH/',
    'DBIRTH/edge',
    'NDATA/edge/dust',
    'DDATA/edge/dust/x',
    'XDATA/edge',
    'DDATA//x',
  ])('has nothing to do with spBv1.0/plant/%s', (topic) =>
    expect(codec.match(`spBv1.0/plant/${topic}`)).toBeNull(),
  );
});

describe('a birth', () => {
  it('announces what nobody declared without filling the quarantine', () => {
    const metrics: Metric[] = [
      bdSeq(0),
      { name: 'Node Control/Rebirth', type: 'Boolean', value: false },
      { name: 'Properties/Hardware', type: 'String', value: 'Pi' },
      { name: 'Uptime', type: 'UInt64', value: 9 },
      { name: 'Installed', type: 'DateTime', value: NOW },
      { name: 'Serial', type: 'Bytes', value: Buffer.from('ab') },
      double('TEMP', 20),
    ];
    expect(short(hear('NBIRTH/edge', at(0, ...metrics)))).toEqual(['edge online', 'edge TEMP=20']);
  });

  it('shows a declared property that comes as text', () => {
    const decoded = hear('NBIRTH/edge', at(0, { name: 'TEMP', type: 'String', value: '20' }));
    expect(short(decoded)).toEqual(['edge online', 'edge rejected schema']);
  });

  it('states units for the data behind it', () => {
    nbirth();
    const unit = { engUnit: { type: 'String', value: 'µg/m³' } } as const;
    hear('DBIRTH/edge/dust', at(1, double('PM10', 80, { alias: 8, properties: unit })));
    const decoded = hear('DDATA/edge/dust', at(2, byAlias(8, 81)));
    expect(decoded).toMatchObject({
      parts: [{ decoded: { readings: [{ property: 'PM10', unit: 'ug/m3' }] } }],
    });
  });
});

describe('names', () => {
  const tree = () =>
    hear(
      'DBIRTH/edge/dust',
      at(
        1,
        double('Outputs/TSP', 0.1, { alias: 1 }),
        double('Outputs/Raw/PM10', 9),
        double('Inputs/PM10', 8),
      ),
    );

  it('mean a property by their last segment, when one metric alone ends so', () => {
    nbirth();
    expect(short(tree())).toEqual(['edge/dust online', 'edge/dust TSP=0.1']);
    expect(short(hear('DDATA/edge/dust', at(2, byAlias(1, 0.2), double('Inputs/PM10', 8))))).toEqual([
      'edge/dust TSP=0.2',
      // For ingest to refuse: property-undeclared.
      'edge/dust Inputs/PM10=8',
    ]);
  });

  it('wait for the birth where only that can tell', () => {
    expect(short(hear('DDATA/edge/dust', at(1, double('Outputs/TSP', 0.1))))).toEqual([
      'edge/dust rejected birth-missing',
      ASK,
    ]);
    expect(short(hear('DDATA/edge/dust', at(2, double('TSP', 0.1))))).toEqual(['edge/dust TSP=0.1']);
  });

  it('follow the registry as it changes, without a new birth', () => {
    const before = registry;
    registry = registry.filter(({ id }) => id !== 'dust-01');
    nbirth();
    tree();
    registry = before;
    expect(short(hear('DDATA/edge/dust', at(2, byAlias(1, 0.2))))).toEqual(['edge/dust TSP=0.2']);
    registry = before.map((one) => (one.id === 'dust-01' ? { ...one, datastreams: [], version: 2 } : one));
    expect(short(hear('DDATA/edge/dust', at(3, byAlias(1, 0.3))))).toEqual(['edge/dust Outputs/TSP=0.3']);
  });
});

describe('values and times', () => {
  it('are those of the metric; a time it does not state is that of the payload', () => {
    nbirth();
    const decoded = hear(
      'NDATA/edge',
      at(1, double('TEMP', 1, { timestamp: NOW - 5_000 }), double('TEMP', 2)),
    );
    const times = [NOW - 5_000, NOW];
    expect(decoded).toMatchObject({ parts: [{ decoded: { readings: times.map((time) => ({ time })) } }] });
    expect(short(hear('NDATA/edge', { seq: 2, metrics: [double('TEMP', 2)] }))).toEqual([
      'edge rejected schema',
    ]);
  });

  it('null says nothing, and takes nothing from the rest', () => {
    nbirth();
    expect(short(hear('NDATA/edge', at(1, double('TEMP', null))))).toEqual(['edge nothing']);
  });

  it('carry the quality that the node states', () => {
    nbirth();
    const qualities = [192, 0, 500, 64].map((value) =>
      double('TEMP', 1, { properties: { Quality: { type: 'Int32', value } } }),
    );
    expect(hear('NDATA/edge', at(1, ...qualities))).toMatchObject({
      parts: [
        {
          decoded: { readings: ['valid', 'fault', 'comms-error', 'unknown'].map((quality) => ({ quality })) },
        },
      ],
    });
  });
});

describe('a compressed payload', () => {
  const wrapped = (body: Buffer, algorithm?: string): Payload => ({
    uuid: 'SPBV1.0_COMPRESSED',
    body,
    metrics: algorithm === undefined ? [] : [{ name: 'algorithm', type: 'String', value: algorithm }],
  });
  const inner = encode(at(0, bdSeq(0), double('TEMP', 20)));

  it.each([
    ['DEFLATE, as nothing else is said', wrapped(deflateSync(inner))],
    ['DEFLATE', wrapped(deflateSync(inner), 'DEFLATE')],
    ['GZIP', wrapped(gzipSync(inner), 'gzip')],
  ])('is inflated: %s', (_what, payload) => {
    expect(short(hear('NBIRTH/edge', payload))).toEqual(['edge online', 'edge TEMP=20']);
  });

  it.each([
    ['a bomb', wrapped(deflateSync(Buffer.alloc(50_000_000))), 'payload-too-large'],
    ['damaged', wrapped(Buffer.from('abc')), 'malformed'],
    ['an algorithm of its own', wrapped(inner, 'LZ4'), 'malformed'],
    ['compressed twice', wrapped(deflateSync(encode(wrapped(deflateSync(inner))))), 'malformed'],
  ])('is refused: %s', (_what, payload, reason) => {
    expect(short(hear('NBIRTH/edge', payload))).toEqual([`edge rejected ${reason}`]);
  });
});

describe('what is run again out of quarantine', () => {
  it('is told by the births of today, and moves nothing', () => {
    const early = at(40, byAlias(7, 0.2));
    hear('DDATA/edge/dust', early);
    nbirth();
    dbirth();
    expect(short(hear('DDATA/edge/dust', early, true))).toEqual(['edge/dust TSP=0.2']);
    hear('NBIRTH/edge', at(0, bdSeq(77)), true);
    expect(short(hear('NDEATH/edge', { metrics: [bdSeq(0)] }, true))).toEqual(['edge nothing']);
    expect(short(hear('DDATA/edge/dust', at(2, byAlias(7, 0.3))))).toEqual(['edge/dust TSP=0.3']);
  });
});

describe('whatever comes', () => {
  const topic = fc.constantFrom(
    'NBIRTH/edge',
    'NDATA/edge',
    'NDEATH/edge',
    'DBIRTH/edge/dust',
    'DDATA/edge/dust',
    'DDEATH/edge/dust',
  );
  const name = fc.constantFrom(
    'TSP',
    'PM10',
    'TEMP',
    'Outputs/TSP',
    'bdSeq',
    '',
    '__proto__',
    'constructor',
    'x'.repeat(300),
  );
  const typed = fc.oneof(
    fc.tuple(
      fc.constantFrom('Double', 'Float', 'Int8', 'Int64', 'UInt64', 'UInt32', 'Unknown'),
      fc.constantFrom(0, 1, -1, 300, 2 ** 40, Number.NaN, null),
    ),
    fc.tuple(fc.constantFrom('String', 'UUID'), fc.constantFrom('', 'a', null)),
    fc.tuple(fc.constant('Boolean'), fc.boolean()),
    fc.tuple(fc.constant('Bytes'), fc.constant(Buffer.from('ab'))),
  );
  const metric = fc
    .tuple(name, fc.nat(3), typed)
    .map(([name, alias, [type, value]]) => ({ name, alias, type, value }));

  it('never throws, and gives finite readings only', () => {
    const payload = fc.record({
      timestamp: fc.nat(),
      seq: fc.nat(300),
      metrics: fc.array(metric, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(topic, payload, fc.nat(), fc.nat(255), fc.boolean()), { maxLength: 12 }),
        (messages) => {
          for (const [to, said, where, byte, broken] of messages) {
            const bytes = encode(said as unknown as Payload);
            if (broken && bytes.length > 0) bytes[where % bytes.length] = byte;
            const decoded = hear(to, bytes);
            expect(decoded.kind).toBe('several');
            for (const part of decoded.kind === 'several' ? decoded.parts : []) {
              if (part.decoded.kind !== 'readings') continue;
              expect(
                part.decoded.readings.every(
                  (r) => Number.isFinite(r.value) && typeof r.property === 'string',
                ),
              ).toBe(true);
            }
          }
        },
      ),
      { seed: 4, numRuns: 2_000 },
    );
  });

  it('tells of a hundred thousand faults in a few sentences', () => {
    const decoded = hear('NDATA/edge', Buffer.alloc(200_000, Buffer.from([0x12, 0x00])));
    const [part] = decoded.kind === 'several' ? decoded.parts : [];
    if (part?.decoded.kind !== 'readings') throw new Error('readings wanted');
    expect(part.decoded.rejected?.length).toBeLessThan(30);
    expect(part.decoded.rejected?.at(-1)?.detail).toContain('more');
  });

  it('takes bytes that are no protobuf for what they are', () => {
    fc.assert(
      fc.property(topic, fc.uint8Array({ maxLength: 200 }), (to, bytes) => {
        expect(hear(to, Buffer.from(bytes)).kind).toBe('several');
      }),
      { seed: 5, numRuns: 5_000 },
    );
  });

  it('gives back what the encoder was given', () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, fc.integer({ min: 0, max: 2 ** 43 })), { minLength: 1, maxLength: 20 }),
        (said) => {
          nbirth();
          const metrics = said.map(([v, timestamp]) => double('TEMP', v, { timestamp }));
          const decoded = hear('NDATA/edge', at(1, ...metrics));
          const readings = said.map(([v, time]) => ({ value: v === 0 ? expect.closeTo(0) : v, time }));
          expect(decoded).toMatchObject({ parts: [{ decoded: { readings } }] });
        },
      ),
      { seed: 6, numRuns: 300 },
    );
  });
});
