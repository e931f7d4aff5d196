/** The demonstration district as the fake API answers it: catalog and devices. Made up for the page's own tests. */
import type { DeviceInput, LegalBasis, RegisteredDevice } from '../../contracts/index.ts';
import { Device } from '../../contracts/index.ts';
import type { CatalogView } from '../src/api/types.ts';

const box = (west: number, east: number) => ({
  type: 'Polygon' as const,
  coordinates: [
    [
      [west, 41.78],
      [east, 41.78],
      [east, 41.82],
      [west, 41.82],
      [west, 41.78],
    ],
  ],
});
const since2022 = { from: '2022-01-01', to: null };
const unit = (
  id: string,
  zh: string,
  en: string,
  parent: string | null,
  level: 'district' | 'department' | 'street',
  region = '210199',
) => ({
  id,
  name: { zh, en },
  parent,
  level,
  region,
});
const matter = (id: string, zh: string, en: string) => ({
  id,
  code: `DEMO-${id}`,
  name: { zh, en },
  cause: { zh, en },
  bases: ['b-demo'],
  reviewHours: 24,
});

export const catalog: CatalogView = {
  units: [
    unit('u-district', '示范区人民政府', 'Demonstration District Government', null, 'district'),
    unit('u-eco', '示范区生态环境分局', 'Ecology and Environment Branch', 'u-district', 'department'),
    unit('u-urban', '示范区综合行政执法局', 'Urban Enforcement Bureau', 'u-district', 'department'),
    unit('u-fire', '示范区消防救援大队', 'Fire and Rescue Brigade', 'u-district', 'department'),
    unit(
      'u-qingshi',
      '青石街道综合行政执法队',
      'Qingshi Enforcement Team',
      'u-district',
      'street',
      '210199001',
    ),
    unit('u-linhe', '临河街道综合行政执法队', 'Linhe Enforcement Team', 'u-district', 'street', '210199002'),
  ],
  matters: [
    matter('m-dust-site', '施工扬尘超标', 'Construction dust over the limit'),
    matter('m-noise-night', '夜间建筑施工噪声超标', 'Construction noise at night over the limit'),
    matter('m-monitoring-abnormal', '监测数据异常待核查', 'Abnormal monitoring data to be checked'),
    matter('m-fire-lane', '占用、堵塞消防车通道', 'Blocking a fire lane'),
    matter('m-device-offline', '未保证自动监测设备正常运行', 'Monitoring device not kept running'),
  ],
  areas: {
    type: 'FeatureCollection',
    features: [
      {
        type: 'Feature',
        properties: {
          id: 'area-district',
          name: { zh: '示范区', en: 'Demonstration District' },
          region: '210199',
        },
        geometry: box(123.4, 123.46),
      },
      {
        type: 'Feature',
        properties: {
          id: 'area-qingshi',
          name: { zh: '青石街道', en: 'Qingshi Subdistrict' },
          region: '210199001',
        },
        geometry: box(123.4, 123.43),
      },
      {
        type: 'Feature',
        properties: {
          id: 'area-linhe',
          name: { zh: '临河街道', en: 'Linhe Subdistrict' },
          region: '210199002',
        },
        geometry: box(123.43, 123.46),
      },
    ],
  },
  limits: [
    {
      id: 'lim-tsp',
      version: 1,
      matter: 'm-dust-site',
      property: 'TSP',
      statistic: { type: 'mean', windowS: 300, minValidShare: 0.75 },
      max: 0.8,
      unit: 'mg/m3',
      region: '21',
      where: { siteType: 'construction' },
      clause: 'DB21/2642-2016 4.1',
      valid: since2022,
      source: 'fixture',
      certainty: 'secondary',
    },
    {
      id: 'lim-noise',
      version: 1,
      matter: 'm-noise-night',
      property: 'LAeq',
      statistic: { type: 'leq', windowS: 1200, minValidShare: 0.75 },
      max: 55,
      unit: 'dB',
      hours: ['22:00', '06:00'],
      region: '',
      where: { siteType: 'construction' },
      clause: 'GB 12523-2025 4',
      valid: since2022,
      source: 'fixture',
      certainty: 'unconfirmed',
    },
  ],
  assignments: [],
  version: 'fixture',
};

export const bases: LegalBasis[] = [
  {
    id: 'b-air-69',
    law: { zh: '大气污染防治法', en: 'Air Pollution Prevention Law' },
    article: '第六十九条',
    level: 'law',
    role: 'violated',
    valid: { from: '2016-01-01', to: '2026-08-15' },
    successor: null,
    source: 'fixture',
    certainty: 'verified',
  },
  {
    id: 'b-eco-code',
    law: { zh: '生态环境法典', en: 'Ecological Environment Code' },
    article: '扬尘污染防治（条次待核）',
    level: 'law',
    role: 'penalty',
    valid: { from: '2026-08-15', to: null },
    successor: null,
    source: 'fixture',
    certainty: 'unconfirmed',
  },
  {
    id: 'b-db21',
    law: { zh: '施工及堆料场地扬尘排放标准', en: 'Dust emission standard for sites' },
    article: 'DB21/2642-2016 4.1',
    level: 'standard',
    role: 'violated',
    valid: { from: '2016-08-01', to: null },
    successor: null,
    source: 'fixture',
    certainty: 'secondary',
  },
];

const stream = (property: string, unitCode: string, max: number) => ({
  property,
  unit: unitCode,
  range: [0, max] as [number, number],
  intervalS: 30,
});
const place = (i: number, column: number): [number, number] => [
  123.404 + ((i * 0.0173 + column * 0.0091) % 0.052),
  41.784 + ((i * 0.0117 + column * 0.0137) % 0.032),
];
const verification = { certificate: 'JZ-2026-0417', from: '2026-01-05', to: '2027-01-04' };

function sensors(): DeviceInput[] {
  const make = (
    prefix: string,
    n: number,
    zh: string,
    en: string,
    column: number,
    streams: DeviceInput['datastreams'],
  ): DeviceInput[] =>
    Array.from({ length: n }, (_, i) => ({
      id: `${prefix}-0${i + 1}`,
      kind: 'sensor' as const,
      name: { zh: `${i + 1}号${zh}`, en: `${en} ${i + 1}` },
      model: 'QL-ENV-2',
      site: `site-${prefix}-0${i + 1}`,
      location: place(i, column),
      datastreams: streams,
      attributes: { siteType: 'construction' },
      regulatedParty: { name: '示范建工集团有限公司', uscc: '91350100M000100Y43' },
      article41: {
        legalReview: { by: '示范区司法局', on: '2026-02-01', result: 'passed' as const },
        technicalReview: { by: '示范区计量所', on: '2026-02-03', result: 'passed' as const },
        signsSetUp: '2026-02-10',
        locationPublished: { on: '2026-02-12', url: 'https://example.org/devices' },
        verification,
      },
    }));
  return [
    ...make('dust', 8, '工地扬尘监测点', 'Dust station', 0, [
      stream('TSP', 'mg/m3', 20),
      stream('PM10', 'ug/m3', 5000),
    ]),
    ...make('noise', 6, '工地噪声监测点', 'Noise station', 1, [stream('LAeq', 'dB', 140)]),
    ...make('water', 4, '排污口水质监测点', 'Outlet station', 2, [stream('COD', 'mg/L', 1000)]),
    ...make('river', 2, '河道水位站', 'River gauge', 3, [stream('LEVEL', 'm', 30)]),
  ];
}

function cameras(): DeviceInput[] {
  return Array.from({ length: 3 }, (_, i) => ({
    id: `cam-0${i + 1}`,
    kind: 'camera' as const,
    name: { zh: `${i + 1}号消防通道摄像机`, en: `Fire lane camera ${i + 1}` },
    site: `site-cam-0${i + 1}`,
    location: place(i, 4),
    zones: [
      {
        id: 'fire-lane',
        name: { zh: '消防车通道', en: 'Fire lane' },
        matter: 'm-fire-lane',
        polygon: [
          [0.2, 0.5],
          [0.9, 0.5],
          [0.9, 0.95],
          [0.2, 0.95],
        ],
      },
    ],
  }));
}

export const devices: RegisteredDevice[] = [...sensors(), ...cameras()].map((input) => ({
  ...Device.parse(input),
  version: 1,
  since: Date.UTC(2026, 0, 1),
}));
