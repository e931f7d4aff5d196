import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../contracts/index.ts';
import { type TestRegistry, testRegistry } from '../testing/registry.ts';

const DUST = { id: 'dust-01', template: 'dust', site: 'site-01', location: [123.41, 41.8] };
const device = (id: string, more: object = {}) => ({ ...DUST, id, ...more });
let test: TestRegistry;
const pathsOf = (error: { problems: Problem[] }) => error.problems.map((p) => p.path);
const refused = (rows: unknown[]) =>
  test.registry.import(rows).then(
    () => null,
    (e) => e,
  );

beforeEach(async () => {
  test = await testRegistry();
});
afterEach(() => test.close());

describe('a device that contradicts itself', () => {
  it('is refused with everything that is wrong, each with what is allowed', async () => {
    const stream = { property: 'SO2', unit: 'mg/m³', range: [0, 10], intervalS: 60 };
    const bad = device('cems-1', {
      datastreams: [stream],
      zones: [
        {
          id: 'z',
          name: { zh: '', en: '' },
          matter: 'm',
          polygon: [
            [0, 0],
            [1, 1],
            [1, 0],
            [0, 1],
          ],
        },
      ],
      addresses: ['hj212:1', 'hj212:1'],
      gateway: 'cems-1',
      hj212: { factors: { a01: { property: 'X', unit: '℃' } } },
      permitLimits: [
        {
          property: 'NOx',
          statistic: 'hour',
          max: 1,
          unit: 'mg/m3',
          permit: 'P',
          from: '2026-02-01',
          to: '2026-01-01',
        },
        { property: 'SO2', statistic: 'instant', max: 1, unit: 'mg/m3', permit: 'P', from: '2026-01-01' },
        { property: 'SO2', statistic: 'instant', max: 2, unit: 'mg/m3', permit: 'P', from: '2026-06-01' },
      ],
      calibrations: [{ property: 'NOx', certificate: 'C', from: '2026-01-02', to: '2026-01-01' }],
      maintenance: [{ from: '2026-01-01T10:00:00+08:00', to: '2026-01-01T02:00:00Z', reason: 'r' }],
      article41: {
        legalReview: { by: 'x', on: '2026-02-01', result: 'passed', expires: '2026-01-01' },
        technicalReview: null,
        signsSetUp: null,
        locationPublished: null,
        verification: { certificate: 'c', from: '2026-02-01', to: '2026-01-01' },
      },
    });
    const error = await refused([bad]);
    expect(pathsOf(error).sort()).toEqual(
      [
        ...[
          'datastreams.0.unit',
          'zones',
          'zones.0.polygon',
          'addresses.1',
          'gateway',
          'hj212.factors.a01.unit',
        ],
        ...['permitLimits.0.property', 'permitLimits.0.to', 'permitLimits.2', 'calibrations.0.property'],
        ...[
          'calibrations.0.to',
          'maintenance.0.to',
          'article41.legalReview.expires',
          'article41.verification.to',
        ],
      ]
        .map((path) => `[0].${path}`)
        .sort(),
    );
    const unit = error.problems.find((p: Problem) => p.path === '[0].datastreams.0.unit');
    expect(unit.allowed).toBe('in UCUM it is written mg/m3');
  });
});

describe('an address', () => {
  it('belongs to one device; the holder is named', async () => {
    await test.registry.upsert(device('a', { addresses: ['hj212:1'] }));
    const error = await refused([device('b', { addresses: ['hj212:1'] })]);
    expect(error.problems).toEqual([
      { path: '[0].addresses.0', found: 'hj212:1', allowed: 'an address of no other device: a has it' },
    ]);
    expect((await refused([device('hj212:1')])).problems[0]).toMatchObject({ path: '[0].id' });
    expect(
      (await refused([device('c', { addresses: ['senml:x'] }), device('d', { addresses: ['senml:x'] })]))
        .problems[0],
    ).toMatchObject({ path: '[1].addresses.0', allowed: expect.stringContaining('c has it') });
  });

  it('may pass from one device to another within one list, in any order', async () => {
    await test.registry.import([
      device('a', { addresses: ['hj212:1'] }),
      device('b', { addresses: ['hj212:2'] }),
    ]);
    await test.registry.import([
      device('b', { addresses: ['hj212:1'] }),
      device('a', { addresses: ['hj212:2'] }),
    ]);
    expect(test.registry.find('hj212:1')?.id).toBe('b');
    expect(test.registry.find('hj212:2')?.id).toBe('a');
  });

  it('stays with its holder when the row that gives it up is refused', async () => {
    await test.registry.upsert(device('a', { addresses: ['hj212:1'] }));
    const rows = [device('b', { addresses: ['hj212:1'] }), device('a', { addresses: [], gateway: 'nobody' })];
    const report = await test.registry.import(rows, { partial: true });
    expect(report).toMatchObject({ added: [], changed: [], refused: [{ id: 'b' }, { id: 'a' }] });
  });
});

describe('a gateway', () => {
  it('is a device of the registry or the list, and gateways do not go round in a ring', async () => {
    await test.registry.import([device('sensor', { gateway: 'box' }), device('box')]);
    expect(pathsOf(await refused([device('x', { gateway: 'nobody' })]))).toEqual(['[0].gateway']);
    const ring = await refused([device('box', { gateway: 'sensor' })]);
    expect(ring.problems[0].allowed).toBe('no ring: box → sensor → box');
  });

  it('that is refused takes with it who delivers through it', async () => {
    const rows = [
      device('sensor', { gateway: 'box' }),
      device('box', { location: [500, 0] }),
      device('free'),
    ];
    const report = await test.registry.import(rows, { partial: true });
    expect(report.added).toEqual(['free']);
    expect(report.refused.map((r) => r.id)).toEqual(['sensor', 'box']);
  });
});
