import { z } from 'zod';
import type { Catalog } from '../../backbone/catalog.ts';
import type {
  Article41Record,
  BiText,
  ChecklistItem,
  DraftCase,
  Finding,
  LegalBasis,
  Limit,
  RegisteredDevice,
} from '../../contracts/index.ts';

/**
 * What the law asks of evidence that monitoring equipment gathered (Administrative Penalty Law, article 41), each
 * condition met, not met, or for a person to check, from the device's record as it was at capture time. One that is
 * not met leaves the draft a lead for an on-site check.
 */
export interface ChecklistParts {
  /** The finding that speaks for the draft. */
  finding: Finding;
  device: RegisteredDevice | undefined;
  /** Local date of the capture. */
  date: string;
  bases: readonly LegalBasis[];
  catalog: Catalog;
}

type Verdict = Pick<ChecklistItem, 'result' | 'detail'>;

const ARTICLE_41 = '行政处罚法 第四十一条';

export function checklist(parts: ChecklistParts): ChecklistItem[] {
  const record = parts.device?.article41;
  const items: [string, string, BiText, Verdict | null][] = [
    ['kind-of-proof', '行政处罚法 第四十六条', NAMES.kindOfProof, kindOfProof(parts.finding)],
    ['legal-basis', `${ARTICLE_41}第一款`, NAMES.legalBasis, legalBasis(parts.bases, parts.date)],
    ['legal-review', `${ARTICLE_41}第一款`, NAMES.legalReview, review(record?.legalReview, parts.date)],
    [
      'technical-review',
      `${ARTICLE_41}第一款`,
      NAMES.technicalReview,
      review(record?.technicalReview, parts.date),
    ],
    ['verification', `${ARTICLE_41}第一款`, NAMES.verification, verification(record, parts.date)],
    ['placement', `${ARTICLE_41}第一款`, NAMES.placement, forPerson(PLACEMENT)],
    ['signs', `${ARTICLE_41}第一款`, NAMES.signs, before(record?.signsSetUp ?? null, parts.date)],
    [
      'published',
      `${ARTICLE_41}第一款`,
      NAMES.published,
      before(record?.locationPublished?.on ?? null, parts.date),
    ],
    ['unit-stated', `${ARTICLE_41}第二款`, NAMES.unitStated, unitStated(parts)],
    ['limit', '行政处罚法 第三十七条', NAMES.limit, limitKnown(parts)],
    ['record-quality', `${ARTICLE_41}第二款`, NAMES.recordQuality, recordQuality(parts.finding)],
    ['agency-review', `${ARTICLE_41}第二款`, NAMES.agencyReview, forPerson(AGENCY_REVIEW)],
    ['party-told', `${ARTICLE_41}第三款`, NAMES.partyTold, forPerson(PARTY_TOLD)],
  ];
  return items.flatMap(([id, clause, text, verdict]) =>
    verdict === null ? [] : [{ id, text, ...verdict, clause }],
  );
}

/** Evidence only when nothing is missing; what a person has still to check does not take that away. */
export function standingOf(items: readonly ChecklistItem[]): DraftCase['standing'] {
  return items.some((item) => item.result === 'not-met') ? 'on-site-check' : 'evidence';
}

const NAMES = {
  kindOfProof: { zh: '发现性质可作为证据', en: 'The kind of finding can be evidence' },
  legalBasis: { zh: '有法律、行政法规依据', en: 'Rests on a law or an administrative regulation' },
  legalReview: { zh: '设备经过法制审核', en: 'Equipment passed legal review' },
  technicalReview: { zh: '设备经过技术审核', en: 'Equipment passed technical review' },
  verification: { zh: '设备符合标准，检定有效', en: 'Equipment meets standards, verification valid' },
  placement: { zh: '设备设置合理', en: 'Equipment is placed reasonably' },
  signs: { zh: '设备标志明显', en: 'Signs are obvious' },
  published: { zh: '设置地点已向社会公布', en: 'Location was made public' },
  unitStated: { zh: '监测数据单位明确', en: 'Unit of the values is stated' },
  limit: { zh: '限值在行为发生时有效且已核实', en: 'Limit in force at the time of the act, and confirmed' },
  recordQuality: { zh: '记录真实、清晰、完整、准确', en: 'Record is true, clear, complete and accurate' },
  agencyReview: { zh: '行政机关已审核记录内容', en: 'The agency has reviewed the record' },
  partyTold: {
    zh: '及时告知当事人并保障其查询、陈述、申辩',
    en: 'Party is told, can query, state and defend',
  },
} satisfies Record<string, BiText>;

const PLACEMENT: BiText = {
  zh: '登记册没有设置论证的记录，请核对。',
  en: 'The registry holds no record of the placement: to be checked.',
};
const AGENCY_REVIEW: BiText = {
  zh: '确认本草案即为审核；未经审核不得作为证据。',
  en: 'Confirming this draft is the review; without it the record is no evidence.',
};
const PARTY_TOLD: BiText = {
  zh: '由责任单位在立案后完成并留存送达凭证。',
  en: 'To be done by the responsible unit, with proof of delivery.',
};

/** What a rule compares with a limit, or a picture shows, can prove; what statistics suggest can only point. */
const PROVING: ReadonlySet<Finding['kind']> = new Set(['limit-exceeded', 'image']);

function kindOfProof({ kind }: Finding): Verdict {
  return PROVING.has(kind)
    ? met('直接监测或拍摄所得。', 'Directly measured or photographed.')
    : notMet(
        '统计推断只是线索，须现场核查，不能单独作为证据。',
        'Inferred by statistics: a lead for an on-site check, never proof by itself.',
      );
}

function legalBasis(bases: readonly LegalBasis[], date: string): Verdict {
  if (bases.length === 0) {
    return notMet(`目录中没有${date}当日有效的依据。`, `The catalog knows no basis in force on ${date}.`);
  }
  const high = bases.filter((b) => b.level === 'law' || b.level === 'administrative-regulation');
  if (high.length === 0)
    return notMet('依据层级低于行政法规。', 'The basis ranks below an administrative regulation.');
  const sure = high.find((b) => b.certainty !== 'unconfirmed');
  const [shown] = sure === undefined ? high : [sure];
  const name = { zh: `${shown?.law.zh} ${shown?.article}`, en: `${shown?.law.en} ${shown?.article}` };
  return sure === undefined
    ? forPerson({
        zh: `${name.zh}：条文尚未核实，请核对原文。`,
        en: `${name.en}: not confirmed yet, check the text.`,
      })
    : met(`${name.zh}。`, `${name.en}.`);
}

function review(record: Article41Record['legalReview'] | undefined, date: string): Verdict {
  if (!record) return notMet('没有审核记录。', 'There is no record of a review.');
  const said = { zh: `${record.by}，${record.on}`, en: `${record.by}, ${record.on}` };
  if (record.result === 'failed')
    return notMet(`审核未通过（${said.zh}）。`, `The review failed (${said.en}).`);
  if (record.on > date)
    return notMet(`审核晚于采集（${said.zh}）。`, `Reviewed after the capture (${said.en}).`);
  if (record.expires !== undefined && record.expires <= date) {
    return notMet(`审核已于${record.expires}到期。`, `The review expired on ${record.expires}.`);
  }
  return met(`${said.zh}。`, `${said.en}.`);
}

function verification(record: Article41Record | undefined, date: string): Verdict {
  const v = record?.verification;
  if (!v) return notMet('没有检定或校准证书。', 'There is no verification certificate.');
  const said = `${v.certificate} (${v.from} – ${v.to})`;
  return v.from <= date && date <= v.to
    ? met(`证书${said}有效。`, `Certificate ${said} is valid.`)
    : notMet(`证书${said}在采集时无效。`, `Certificate ${said} was not valid at the capture.`);
}

/** Something that had to be there on the day of the capture. */
function before(on: string | null, date: string): Verdict {
  if (on === null) return notMet('没有记录。', 'There is no record.');
  return on <= date
    ? met(`${on}起。`, `Since ${on}.`)
    : notMet(`${on}起，晚于采集。`, `Since ${on}, after the capture.`);
}

/** Null: the finding rests on no datastream. */
function unitStated({ finding, device }: ChecklistParts): Verdict | null {
  const { datastream: id } = finding;
  if (id === undefined) return null;
  const property = id.slice(id.indexOf('/') + 1).split('@')[0];
  const unit = device?.datastreams.find((d) => d.property === property)?.unit;
  return unit == null
    ? notMet('设备登记未注明单位。', 'The device registration states no unit.')
    : met(`单位为${unit}。`, `The unit is ${unit}.`);
}

/** Null: no limit is involved. */
function limitKnown({ finding, catalog }: ChecklistParts): Verdict | null {
  if (finding.kind !== 'limit-exceeded') return null;
  const limit = limitOf(finding, catalog);
  const clause = limit?.clause ?? finding.clause ?? '';
  if (limit === undefined) {
    return forPerson({
      zh: `目录中查不到所用限值（${clause}）。`,
      en: `The catalog does not hold the limit used (${clause}).`,
    });
  }
  return limit.certainty === 'unconfirmed'
    ? forPerson({
        zh: `${clause}的数值尚未核实（来源：${limit.source}），请核对标准原文。`,
        en: `The value of ${clause} is not confirmed (source: ${limit.source}): check the standard.`,
      })
    : met(`${clause}。`, `${clause}.`);
}

/** What the limits detector writes into a finding's parameters; other rules may write something else there. */
const RuleParameter = z.looseObject({ id: z.string(), version: z.number() });

/** The edition of the limit that a finding names; of a finding that names none, the one of its clause. */
function limitOf(finding: Finding, catalog: Catalog): Limit | undefined {
  const rule = RuleParameter.safeParse(finding.detector.parameters.rule);
  if (rule.success) {
    const { id, version } = rule.data;
    return catalog.limits.find((limit) => limit.id === id && limit.version === version);
  }
  const { clause, matter, measure } = finding;
  return catalog.limits.find((l) => l.clause === clause && l.matter === matter && l.max === measure.limit);
}

function recordQuality({ measure, input }: Finding): Verdict {
  const { validCount: valid, expectedCount: expected } = measure;
  const values = valid === undefined || expected === undefined ? null : `${valid}/${expected}`;
  return forPerson({
    zh: `${values === null ? '' : `有效数据${values}个；`}${input.frames.length > 0 ? `原始图像${input.frames.length}幅，以SHA-256留存；` : ''}请对照原始记录核对。`,
    en: `${values === null ? '' : `${values} values valid; `}${input.frames.length > 0 ? `${input.frames.length} original pictures kept under their SHA-256; ` : ''}to be checked against the original record.`,
  });
}

function met(zh: string, en: string): Verdict {
  return { result: 'met', detail: { zh, en } };
}

function notMet(zh: string, en: string): Verdict {
  return { result: 'not-met', detail: { zh, en } };
}

function forPerson(detail: BiText): Verdict {
  return { result: 'for-person', detail };
}
