import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device, type DeviceInput } from '../../contracts/index.ts';
import { importDevices } from '../commands.ts';
import { type TestRegistry, testRegistry } from '../testing/registry.ts';
import { readDeviceList } from './device-list.ts';
import { exportDevices } from './export.ts';
import { textOf } from './text-encoding.ts';
import { usccCheckCharacter } from './uscc.ts';

let test: TestRegistry;
beforeEach(async () => {
  test = await testRegistry();
});
afterEach(() => test.close());

const text = fc.string({ unit: fc.constantFrom(...'aZ0 ,;"\n\r\t=-扬尘é{}[]', '\u{1f642}'), maxLength: 12 });
const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/);
const biText = fc.record({ zh: text, en: text });
const degrees = (most: number) => fc.double({ min: -most, max: most, noNaN: true }).map((d) => d + 0);
const uscc = fc.stringMatching(/^[0-9A-HJ-NPQRTUWXY]{17}$/).map((c) => c + usccCheckCharacter(c));
const party = fc.record({ name: text, uscc, address: text, contact: text }, { requiredKeys: ['name'] });
const stream = (property: string) => ({
  property,
  unit: 'mg/m3',
  range: [0, 10.5] as [number, number],
  intervalS: 60,
});
const device: fc.Arbitrary<DeviceInput> = fc.record({
  id,
  kind: fc.constantFrom('sensor' as const, 'camera' as const),
  name: biText,
  model: text,
  site: id,
  location: fc.tuple(degrees(180), degrees(90)),
  attributes: fc.dictionary(
    text.filter((s) => s !== '__proto__'),
    text,
    { maxKeys: 3 },
  ),
  regulatedParty: fc.option(party),
  datastreams: fc.constantFrom([], [stream('SO2')], [stream('SO2'), stream('NOx')]),
  article41: fc.constantFrom(undefined, {
    legalReview: null,
    technicalReview: null,
    signsSetUp: '2026-01-01',
    locationPublished: null,
    verification: null,
  }),
  maintenance: fc.constantFrom(
    [],
    [{ from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', reason: 'a,"b"' }],
  ),
}) as fc.Arbitrary<DeviceInput>;

describe('an export', () => {
  it.each(['csv', 'json', 'yaml'] as const)('as %s is the same devices when it is read again', (format) => {
    const devices = fc.uniqueArray(device, { selector: (d) => d.id, maxLength: 5 });
    fc.assert(
      fc.property(devices, fc.boolean(), (inputs, addressed) => {
        const all = inputs.map((input, i) => ({
          ...Device.parse({ ...input, ...(addressed && { addresses: [`hj212:${i}`, `senml:a b;${i}`] }) }),
          version: 1,
          since: 0,
        }));
        const written = [...exportDevices({ sorted: () => all }, format)].join('');
        const { rows, places } = readDeviceList(textOf(Buffer.from(written)), format);
        expect(rows.flatMap((_, row) => places.faults(row))).toEqual([]);
        expect(rows.map((row) => Device.parse(row))).toEqual(
          all.map(({ version: _v, since: _s, ...d }) => d),
        );
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it.each(['csv', 'json', 'yaml'] as const)(
    'as %s changes nothing when it is imported again',
    async (format) => {
      const { registry } = test;
      const at = { site: 's', location: [123.4, 41.8] };
      await registry.import([
        {
          ...at,
          id: 'dust-01',
          template: 'dust',
          addresses: ['hj212:1'],
          regulatedParty: { name: '某, 公司', uscc: '91350100M000100Y43' },
        },
        { ...at, id: 'cam-01', template: 'camera', gateway: 'dust-01', attributes: { note: 'a "b"\nc' } },
      ]);
      const written = [...exportDevices(registry, format)].join('');
      const { rows, places } = readDeviceList(written, format);
      const report = await registry.import(rows, { places });
      expect(report).toEqual({ added: [], changed: [], unchanged: ['cam-01', 'dust-01'], refused: [] });
      expect(registry.templateOf('dust-01')?.name).toBe('dust');
    },
  );
});

describe('a table', () => {
  const head = 'id,template,site,lon,lat,party,uscc,addresses,gateway,attr_street';

  it('names each bad row by its line in the file and each fault by its column', async () => {
    const rows = [
      'd-1,dust,site-1,123.4,41.8,"甲,\n公司",91350100M000100Y43,hj212:1;senml:x,,North',
      '',
      'd-2,toaster,site-1,123.4，,41.8,,,,,',
      'd-3,dust,,123.4,91,甲,91350100M000100Y44,hj212:1,nobody,',
      'd-1,dust,site-1,1,2,,,,,,extra',
    ];
    const file = join(test.folder, 'list.csv');
    await writeFile(file, `\uFEFF${[head, ...rows].join('\r\n')}`);
    const error = await importDevices(test.registry, file).catch((e) => e);
    const told = error.problems.map((p: { path: string }) => p.path);
    expect(told).toEqual([
      ...['line 5.lon', 'line 5.template'],
      ...['line 6.site', 'line 6.lat'],
      ...['line 7.11', 'line 7.id'],
    ]);
    expect(error.problems[0]).toMatchObject({ found: '123.4，' });
    expect(test.registry.size).toBe(0);

    const report = await importDevices(test.registry, file, { partial: true });
    expect(report.added).toEqual(['d-1']);
    expect(report.refused.map((r) => r.line)).toEqual([5, 6, 7]);
    expect(test.registry.get('d-1')).toMatchObject({
      addresses: ['hj212:1', 'senml:x'],
      regulatedParty: { name: '甲,\n公司', uscc: '91350100M000100Y43' },
      attributes: { siteType: 'construction', street: 'North' },
    });
  });

  it('with a column that does not exist is refused once, not for each row', () => {
    const read = () => readDeviceList('id,longitude,id\na,1,2\nb,2,3', 'csv');
    expect(read).toThrow('does not name its columns rightly');
    try {
      read();
    } catch (error) {
      const { problems } = error as { problems: { path: string }[] };
      expect(problems.map((p) => p.path)).toEqual(['line 1.id', 'line 1.longitude']);
    }
  });

  it('as Chinese Excel saves it (GB 18030), as UTF-8 and as UTF-16 is the same', async () => {
    const { registry } = test;
    // 名称 甲 in GB 18030; there is no encoder for it in Node.
    const gb = Buffer.concat([
      Buffer.from('id,template,site,lon,lat,name_zh\nd-1,dust,s,1,2,'),
      Buffer.from([0xb3, 0xbe, 0xd1, 0xef, 0xd2, 0xbb, 0xba, 0xc5]),
    ]);
    const file = join(test.folder, 'gb.csv');
    await writeFile(file, gb);
    await importDevices(registry, file);
    expect(registry.get('d-1')?.name.zh).toBe('尘扬一号');
    const plain = textOf(gb);
    await writeFile(file, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(plain, 'utf16le')]));
    expect(await importDevices(registry, file)).toMatchObject({ unchanged: ['d-1'] });
    await writeFile(file, plain);
    expect(await importDevices(registry, file, { charset: 'utf-8' })).toMatchObject({ unchanged: ['d-1'] });
    await writeFile(file, gb);
    await expect(importDevices(registry, file, { charset: 'utf-8' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    await expect(importDevices(registry, file, { charset: 'klingon' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
  });
});

describe('a YAML list', () => {
  it('tells the line of a bad row', async () => {
    const list =
      'devices:\n  - { id: a, template: dust, site: s, location: [1, 2] }\n  # a remark\n  - id: b\n    template: dust\n    site: s\n    location: [1, 200]\n';
    const { rows, places } = readDeviceList(list, 'yaml');
    const error = await test.registry.import(rows, { places }).catch((e) => e);
    expect(error.problems).toMatchObject([{ path: 'line 4.location.1', found: 200 }]);
  });

  it('that refers to itself over and over does not fill the memory', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefghij'
        .split('')
        .map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghij'[i]}`).join(', ')}]`),
      'devices: *j',
    ];
    expect(() => readDeviceList(bomb.join('\n'), 'yaml')).toThrow(/not YAML/);
  });
});
