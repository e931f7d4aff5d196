import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Catalog } from '../../backbone/catalog.ts';
import { loadCatalog } from '../../backbone/catalog-load.ts';
import type { DeviceDirectory } from '../../backbone/index.ts';
import { projectRoot } from '../../backbone/project-root.ts';
import { Device, type DeviceInput, Finding, type RegisteredDevice } from '../../contracts/index.ts';

/** Devices, findings and the real catalog, for the tests of this folder. */

/** 2026-11-22 22:00 local time: after the empowerments, after the Code came into force. */
export const EVENING = Date.parse('2026-11-22T22:00:00+08:00');
export const MINUTE = 60_000;

let loaded: Promise<Catalog> | undefined;
export function catalog(): Promise<Catalog> {
  loaded ??= loadCatalog(join(projectRoot, 'catalog'));
  return loaded;
}

/** A device whose article 41 record is complete and valid in 2026. */
export const DUST_IN_LINHE: DeviceInput = {
  id: 'dust-01',
  kind: 'sensor',
  name: { zh: '临河工地1号扬尘监测点', en: 'Linhe site dust monitor 1' },
  site: 'site-linhe-1',
  location: [123.445, 41.8],
  datastreams: [{ property: 'TSP', unit: 'mg/m3', range: [0, 100], intervalS: 30 }],
  attributes: { siteType: 'construction' },
  regulatedParty: { name: '临河建设有限公司', uscc: '91350100M000100Y43' },
  article41: {
    legalReview: { by: '示范区司法局', on: '2026-01-10', result: 'passed' },
    technicalReview: { by: '示范区计量所', on: '2026-01-12', result: 'passed' },
    signsSetUp: '2026-01-15',
    locationPublished: { on: '2026-01-20', url: 'https://example.org/devices' },
    verification: { certificate: 'JL-2026-001', from: '2026-01-01', to: '2026-12-31' },
  },
};

export const CAMERA_IN_QINGSHI: DeviceInput = {
  ...DUST_IN_LINHE,
  id: 'cam-01',
  kind: 'camera',
  name: { zh: '青石1号摄像机', en: 'Qingshi camera 1' },
  site: 'site-qingshi-gate',
  location: [123.415, 41.8],
  datastreams: [],
};

export const WATER_IN_QINGSHI: DeviceInput = {
  ...DUST_IN_LINHE,
  id: 'water-01',
  name: { zh: '青石排口1号', en: 'Qingshi outfall 1' },
  site: 'site-outfall-1',
  location: [123.41, 41.79],
  datastreams: [{ property: 'COD', unit: 'mg/L', range: [0, 1000], intervalS: 30 }],
};

/** A registry in which every device has been as it is since 2026-01-01; `changes` replaces one from a time on. */
export function directoryOf(
  devices: readonly DeviceInput[],
  changes: readonly { from: number; device: DeviceInput }[] = [],
): DeviceDirectory {
  const since = Date.parse('2026-01-01T00:00:00+08:00');
  const versions: RegisteredDevice[] = [
    ...devices.map((device) => ({ ...Device.parse(device), version: 1, since })),
    ...changes.map(({ from, device }) => ({ ...Device.parse(device), version: 2, since: from })),
  ];
  const at = (id: string, time: number) => versions.filter((d) => d.id === id && d.since <= time).at(-1);
  return {
    get: (id) => at(id, Number.POSITIVE_INFINITY),
    at,
    all: () => versions,
    find: () => undefined,
    onChange: () => () => {},
  };
}

export function findingId(name: string): string {
  return `f_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

export interface FindingIdea {
  /** What its id is made of. */
  name?: string;
  revision?: number;
  state?: Finding['state'];
  from?: number;
  to?: number;
}

/** A dust sensor over its limit, unless told otherwise; valid by the contract. */
export function finding(
  idea: FindingIdea & Partial<Omit<Finding, keyof FindingIdea | 'id' | 'interval'>> = {},
): Finding {
  const {
    name = 'one',
    revision = 0,
    state = 'open',
    from = EVENING,
    to = from + 5 * MINUTE,
    ...rest
  } = idea;
  const device = rest.device ?? 'dust-01';
  const datastream = rest.kind === 'image' ? {} : { datastream: rest.datastream ?? `${device}/TSP` };
  return Finding.parse({
    id: findingId(name),
    revision,
    state,
    kind: 'limit-exceeded',
    reason: 'mean-5min',
    severity: 'violation',
    matter: 'm-dust-site',
    device,
    ...datastream,
    interval: { from, to },
    measure: {
      statistic: 'mean-5min',
      value: 1.23,
      unit: 'mg/m3',
      limit: 0.8,
      validCount: 10,
      expectedCount: 10,
    },
    summary: {
      zh: 'TSP 5 分钟均值 1.23 mg/m³，超过 0.8 mg/m³',
      en: 'TSP 5 min mean 1.23 mg/m³, above 0.8 mg/m³',
    },
    detector: {
      name: 'limits',
      version: '1',
      parameters: { rule: { id: 'l-db21-2642-tsp-urban', version: 1 } },
    },
    input: { datastreams: [`${device}/TSP`], from, to, frames: [] },
    clause: 'DB21/2642-2016 表1',
    trigger: { device, time: to, receivedAt: to + 500 },
    ...rest,
  });
}
