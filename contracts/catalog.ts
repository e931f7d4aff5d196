import { z } from 'zod';
import { BiText, Id } from './primitives.ts';

/** How sure the project is of a fact: verified in the primary text, seen in a secondary source, or background knowledge. */
export const Certainty = z.enum(['verified', 'secondary', 'unconfirmed']);
export type Certainty = z.infer<typeof Certainty>;

/** Since and until when something is in force: local dates, `to` is the first day on which it no longer holds. */
export const Validity = z.strictObject({ from: z.iso.date(), to: z.iso.date().nullable().default(null) });
export type Validity = z.infer<typeof Validity>;

/** A law's article as the basis of a matter, for acts within its validity. */
export const LegalBasis = z.strictObject({
  id: Id,
  law: BiText,
  article: z.string(),
  /** Article 41: equipment may rest only on a law or an administrative regulation. */
  level: z.enum(['law', 'administrative-regulation', 'local-regulation', 'rule', 'standard']),
  role: z.enum(['violated', 'penalty']),
  text: BiText.optional(),
  valid: Validity,
  successor: Id.nullable().default(null),
  source: z.string(),
  certainty: Certainty,
});
export type LegalBasis = z.infer<typeof LegalBasis>;

/** 执法事项: what may be enforced. */
export const Matter = z.strictObject({
  id: Id,
  code: z.string().describe('Item code of the published list'),
  name: BiText,
  /** 案由, without the leading 涉嫌. */
  cause: BiText,
  bases: z.array(Id).min(1).describe('LegalBasis ids'),
  /** Hours that the first review may take. */
  reviewHours: z.number().positive().default(24),
});
export type Matter = z.infer<typeof Matter>;

/** How the law measures: the statistic that is compared with the limit. */
export const LimitStatistic = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('mean'),
    windowS: z.number().positive(),
    minValidShare: z.number().min(0).max(1),
  }),
  z.strictObject({
    type: z.literal('leq').describe('Energy mean of A-weighted levels: 10·lg(mean(10^(L/10)))'),
    windowS: z.number().positive(),
    minValidShare: z.number().min(0).max(1),
  }),
  z.strictObject({ type: z.literal('instant') }),
]);
export type LimitStatistic = z.infer<typeof LimitStatistic>;

/** One limit as a standard states it: value + averaging period + condition + region + validity + source. */
export const Limit = z.strictObject({
  id: Id,
  version: z.number().int().positive(),
  matter: Id,
  property: z.string(),
  statistic: LimitStatistic,
  max: z.number(),
  unit: z.string(),
  /** Local time of day [from, to) in which it holds, `HH:MM`; may pass midnight. */
  hours: z.tuple([z.string().regex(/^\d\d:\d\d$/), z.string().regex(/^\d\d:\d\d$/)]).optional(),
  /** Prefix of the region code (GB/T 2260) in which it holds; '' = everywhere. */
  region: z.string().default(''),
  /** Device attributes that must be so, e.g. {siteType: construction}. */
  where: z.record(z.string(), z.string()).default({}),
  clause: z.string(),
  valid: Validity,
  source: z.string(),
  certainty: Certainty,
});
export type Limit = z.infer<typeof Limit>;

/** 责任单位. A tree: escalation goes to the parent. */
export const Unit = z.strictObject({
  id: Id,
  name: BiText,
  parent: Id.nullable(),
  level: z.enum(['district', 'department', 'street']),
  /** Region code of the area it answers for. */
  region: z.string(),
});
export type Unit = z.infer<typeof Unit>;

/** Who enforces a matter in an area, from when to when: an entry of a published empowerment list (赋权清单), or the default. */
export const Assignment = z.strictObject({
  id: Id,
  matter: Id,
  /** Id of a jurisdiction polygon in jurisdictions.geojson. */
  area: Id,
  unit: Id,
  coUnits: z.array(Id).default([]),
  /** An empowerment of a street goes before the department that is responsible otherwise. */
  basis: z.enum(['empowerment', 'default']),
  valid: Validity,
  source: z.string(),
});
export type Assignment = z.infer<typeof Assignment>;
