/** Alerts, findings and draft cases in the contracts' shapes: one whole story for each kind that the page draws differently. */
import type {
  Alert,
  ChecklistItem,
  DraftCase,
  Finding,
  FrameEvidence,
  RegisteredDevice,
} from '../../contracts/index.ts';
import { bases, devices } from './district.ts';
import { SCENE } from './scene.ts';

export interface Story {
  alert: Alert;
  findings: Finding[];
  draftCase: DraftCase | null;
  device: RegisteredDevice;
}

const device = (id: string): RegisteredDevice => {
  const found = devices.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no device ${id} in the fixture`);
  return found;
};

/** What the stories differ in; the rest follows. */
interface Plot {
  n: number;
  kind: Alert['kind'];
  severity: Alert['severity'];
  device: string;
  property?: string;
  reason: string;
  matter: string | null;
  unit: string | null;
  summary: Alert['summary'];
  measure: Alert['measure'];
  clause?: string;
  parameters?: Record<string, unknown>;
  interval: { from: number; to: number };
  raisedAt: number;
  frames?: FrameEvidence[];
}

function findingOf(plot: Plot): Finding {
  const at = { device: plot.device, time: plot.interval.to, receivedAt: plot.raisedAt - 300 };
  const datastream = plot.property === undefined ? undefined : `${plot.device}/${plot.property}`;
  return {
    id: `f_${String(plot.n).padStart(24, '0')}`,
    revision: 3,
    state: 'update',
    kind: plot.kind,
    reason: plot.reason,
    severity: plot.severity,
    ...(plot.matter === null ? {} : { matter: plot.matter }),
    device: plot.device,
    ...(datastream === undefined ? {} : { datastream }),
    interval: plot.interval,
    measure: plot.measure,
    summary: plot.summary,
    detector: {
      name: plot.kind === 'image' ? 'zone-dwell' : plot.kind,
      version: '1.0.0',
      parameters: plot.parameters ?? {},
    },
    input: {
      datastreams: datastream === undefined ? [] : [datastream],
      from: plot.interval.from - 300_000,
      to: plot.interval.to,
      frames: plot.frames ?? [],
    },
    ...(plot.clause === undefined ? {} : { clause: plot.clause }),
    trigger: at,
  };
}

const check = (
  id: string,
  zh: string,
  en: string,
  result: ChecklistItem['result'],
  detailZh: string,
  detailEn: string,
): ChecklistItem => ({
  id,
  text: { zh, en },
  result,
  detail: { zh: detailZh, en: detailEn },
  clause: '行政处罚法 第四十一条',
});

export const checklist: ChecklistItem[] = [
  check(
    'basis',
    '依据法律、行政法规设置',
    'Rests on a law or administrative regulation',
    'met',
    '大气污染防治法',
    'Air Pollution Prevention Law',
  ),
  check(
    'legal-review',
    '经过法制审核',
    'Legal review passed',
    'met',
    '示范区司法局 2026-02-01 通过',
    'District Justice Bureau, 2026-02-01',
  ),
  check(
    'technical-review',
    '经过技术审核',
    'Technical review passed',
    'met',
    '示范区计量所 2026-02-03 通过',
    'Metrology Institute, 2026-02-03',
  ),
  check(
    'verified',
    '设备检定合格且在有效期内',
    'Verification valid at the time',
    'met',
    'JZ-2026-0417，有效期至 2027-01-04',
    'JZ-2026-0417 until 2027-01-04',
  ),
  check(
    'location',
    '设置地点向社会公布',
    'Location made public',
    'met',
    '2026-02-12 公布',
    'published 2026-02-12',
  ),
  check(
    'record',
    '记录内容真实、清晰、完整、准确',
    'Record true, clear, complete, accurate',
    'for-person',
    '有效数据 9 / 10，请核对缺失的 1 个',
    '9 of 10 values valid: check the missing one',
  ),
  check(
    'told',
    '及时告知当事人违法事实',
    'Party told promptly',
    'for-person',
    '确认后 3 日内告知',
    'within 3 days of confirmation',
  ),
];

function draftOf(plot: Plot, finding: Finding): DraftCase | null {
  if (plot.matter === null) return null;
  const at = device(plot.device);
  const toStreet = plot.unit === 'u-qingshi' || plot.unit === 'u-linhe';
  const onSite = plot.kind === 'image';
  return {
    id: `d-${plot.n}`,
    number: `XS-20261122-${String(plot.n).padStart(4, '0')}`,
    state: 'draft',
    alert: `al-${plot.n}`,
    matter: plot.matter,
    cause: { zh: `涉嫌${plot.summary.zh.split('，')[0]}`, en: `Suspected: ${plot.summary.en.split(',')[0]}` },
    facts: {
      zh: `2026年11月22日，${at.name.zh}（${at.id}）监测到：${plot.summary.zh}。数据由设备自动采集并原样保存，SHA-256 见证据清单。`,
      en: `On 2026-11-22 ${at.name.en} (${at.id}) saw: ${plot.summary.en}. Readings were gathered by the device itself and kept unchanged; see the evidence list for their SHA-256.`,
    },
    regulatedParty: at.regulatedParty,
    bases,
    device: at.id,
    site: at.site,
    location: at.location,
    occurred: plot.interval,
    route: {
      unit: plot.unit,
      coUnits: toStreet ? ['u-urban'] : [],
      reason: plot.unit === null ? 'several-match' : toStreet ? 'empowerment' : 'default',
      candidates: ['u-urban', 'u-linhe'],
      text: toStreet
        ? {
            zh: '该点位位于临河街道；自 2026-01-01 起，本事项已列入临河街道赋权清单，由街道综合行政执法队办理。',
            en: 'The place lies in Linhe Subdistrict; since 2026-01-01 this matter is on its empowerment list, so the subdistrict’s team handles it.',
          }
        : {
            zh: '没有赋权清单覆盖此处，由法定部门办理。',
            en: 'No empowerment list covers this place; the department responsible by default handles it.',
          },
    },
    standing: onSite ? 'on-site-check' : 'evidence',
    checklist: onSite
      ? checklist.map((item) =>
          item.id === 'verified'
            ? {
                ...item,
                result: 'not-met' as const,
                detail: { zh: '没有检定记录', en: 'no verification on record' },
              }
            : item,
        )
      : checklist,
    findings: [finding],
    createdAt: plot.raisedAt + 200,
    dueAt: plot.raisedAt + 24 * 3_600_000,
    review: null,
    lead: null,
    version: 1,
  };
}

function tell(plot: Plot): Story {
  const finding = findingOf(plot);
  const draftCase = draftOf(plot, finding);
  const at = device(plot.device);
  return {
    device: at,
    findings: [finding],
    draftCase,
    alert: {
      id: `al-${plot.n}`,
      fingerprint: `fp-${plot.n}`,
      kind: plot.kind,
      reason: plot.reason,
      severity: plot.severity,
      matter: plot.matter,
      device: at.id,
      datastream: finding.datastream ?? null,
      zone: plot.kind === 'image' ? 'fire-lane' : null,
      site: at.site,
      location: at.location,
      state: 'open',
      summary: plot.summary,
      measure: plot.measure,
      startedAt: plot.interval.from,
      lastSeenAt: plot.interval.to,
      raisedAt: plot.raisedAt,
      acknowledgedAt: null,
      acknowledgedBy: null,
      resolvedAt: null,
      findings: [finding.id],
      draftCase: draftCase?.id ?? null,
      trigger: finding.trigger,
    },
  };
}

const minutes = 60_000;

/** The stories as of `now`, oldest first. `pictures` are the SHA-256 of three frames, in the order of their times. */
export function tellStories(now: number, pictures: readonly string[]): Story[] {
  const ago = (m: number): number => now - m * minutes;
  const [x, y, w, h] = SCENE.van;
  const frames = pictures.map(
    (blob, i): FrameEvidence => ({
      blob,
      time: ago(9 - i * 2),
      detections: [{ class: 'van', score: 0.91, box: [x + i, y, w, h], track: 1 }],
      zone: SCENE.zone,
    }),
  );
  const plots: Omit<Plot, 'n'>[] = [
    {
      kind: 'device-silent',
      severity: 'watch',
      device: 'water-03',
      property: 'COD',
      reason: 'no-data',
      matter: 'm-device-offline',
      unit: 'u-eco',
      summary: {
        zh: '3号排污口水质监测点已 25 分钟没有数据，应每 30 秒一次',
        en: 'Outlet station 3 has sent nothing for 25 min, one value every 30 s is due',
      },
      measure: { statistic: 'silence', value: 1500, unit: 's', limit: 300 },
      interval: { from: ago(70), to: ago(45) },
      raisedAt: ago(45),
    },
    {
      kind: 'early-warning',
      severity: 'warning',
      device: 'river-01',
      property: 'LEVEL',
      reason: 'trend',
      matter: null,
      unit: null,
      summary: {
        zh: '河道水位预计 40 分钟内达到警戒 3.20 m，现为 2.94 m',
        en: 'River level is expected to reach 3.20 m within 40 min, now 2.94 m',
      },
      measure: { statistic: 'forecast', value: 2.94, unit: 'm', limit: 3.2 },
      interval: { from: ago(50), to: ago(32) },
      raisedAt: ago(32),
      parameters: { horizonS: 2400, method: 'theil-sen' },
    },
    {
      kind: 'falsification',
      severity: 'warning',
      device: 'water-01',
      property: 'COD',
      reason: 'stuck',
      matter: 'm-monitoring-abnormal',
      unit: 'u-eco',
      summary: {
        zh: 'COD 读数 34 分钟内保持 18.2 mg/L 不变，正常波动应为 ±2.1',
        en: 'COD has stood at 18.2 mg/L for 34 min, it usually varies by 2.1',
      },
      measure: { statistic: 'constant-span', value: 34, unit: 'min', limit: 20 },
      interval: { from: ago(62), to: ago(28) },
      raisedAt: ago(28),
    },
    {
      kind: 'anomaly',
      severity: 'watch',
      device: 'dust-05',
      property: 'PM10',
      reason: 'novel-pattern',
      matter: 'm-monitoring-abnormal',
      unit: 'u-eco',
      summary: {
        zh: 'PM10 出现与过去两周不同的形态，异常分 0.97',
        en: 'PM10 shows a pattern unlike the last two weeks, score 0.97',
      },
      measure: { statistic: 'score', value: 0.97, unit: '1', limit: 0.9 },
      interval: { from: ago(30), to: ago(21) },
      raisedAt: ago(21),
    },
    {
      kind: 'limit-exceeded',
      severity: 'violation',
      device: 'noise-02',
      property: 'LAeq',
      reason: 'LAeq-20min',
      matter: 'm-noise-night',
      unit: 'u-urban',
      summary: {
        zh: '夜间施工噪声 20 分钟等效声级 63.4 dB，超过限值 55 dB',
        en: 'Night construction noise LAeq of 20 min is 63.4 dB, the limit is 55 dB',
      },
      measure: {
        statistic: 'LAeq-20min',
        value: 63.4,
        unit: 'dB',
        limit: 55,
        validCount: 39,
        expectedCount: 40,
      },
      clause: 'GB 12523-2025 4',
      interval: { from: ago(36), to: ago(14) },
      raisedAt: ago(14),
      parameters: { limit: 'lim-noise', limitVersion: 1, hours: ['22:00', '06:00'] },
    },
    {
      kind: 'image',
      severity: 'violation',
      device: 'cam-01',
      reason: 'fire-lane-occupied',
      matter: 'm-fire-lane',
      unit: 'u-qingshi',
      summary: {
        zh: '面包车占用消防车通道 4 分钟，超过 3 分钟',
        en: 'A van has stood in the fire lane for 4 min, 3 min are allowed',
      },
      measure: { statistic: 'dwell', value: 240, unit: 's', limit: 180, validCount: 5, expectedCount: 5 },
      interval: { from: ago(9), to: ago(5) },
      raisedAt: ago(5),
      frames,
      parameters: { model: 'district-nano', modelSha256: 'c0ffee…', minScore: 0.5, dwellS: 180 },
    },
    {
      kind: 'limit-exceeded',
      severity: 'violation',
      device: 'dust-03',
      property: 'TSP',
      reason: 'mean-5min',
      matter: 'm-dust-site',
      unit: 'u-linhe',
      summary: {
        zh: '施工扬尘 TSP 5 分钟均值 1.42 mg/m³，超过限值 0.8 mg/m³',
        en: 'Construction dust TSP mean of 5 min is 1.42 mg/m³, the limit is 0.8 mg/m³',
      },
      measure: {
        statistic: 'mean-5min',
        value: 1.42,
        unit: 'mg/m3',
        limit: 0.8,
        validCount: 9,
        expectedCount: 10,
      },
      clause: 'DB21/2642-2016 4.1',
      interval: { from: ago(19), to: ago(2) },
      raisedAt: ago(2),
      parameters: {
        limit: 'lim-tsp',
        limitVersion: 1,
        windowS: 300,
        minValidShare: 0.75,
        siteType: 'construction',
      },
    },
  ];
  return plots.map((plot, i) => tell({ ...plot, n: i + 1 }));
}

/** One more dust alert, as it would arrive live. */
export function tellDust(n: number, now: number): Story {
  return tell({
    n,
    kind: 'limit-exceeded',
    severity: 'violation',
    device: `dust-0${(n % 8) + 1}`,
    property: 'TSP',
    reason: 'mean-5min',
    matter: 'm-dust-site',
    unit: 'u-linhe',
    summary: {
      zh: `施工扬尘 TSP 5 分钟均值 ${(0.9 + (n % 7) / 10).toFixed(2)} mg/m³，超过限值 0.8 mg/m³`,
      en: `Construction dust TSP mean of 5 min is ${(0.9 + (n % 7) / 10).toFixed(2)} mg/m³, the limit is 0.8 mg/m³`,
    },
    measure: {
      statistic: 'mean-5min',
      value: 0.9 + (n % 7) / 10,
      unit: 'mg/m3',
      limit: 0.8,
      validCount: 10,
      expectedCount: 10,
    },
    clause: 'DB21/2642-2016 4.1',
    interval: { from: now - 6 * minutes, to: now },
    raisedAt: now,
  });
}
