import { z } from 'zod';
import { LegalBasis } from './catalog.ts';
import { RegulatedParty } from './device.ts';
import { Finding } from './finding.ts';
import { BiText, EpochMs, Id, LonLat } from './primitives.ts';

export const DraftState = z.enum(['draft', 'confirmed', 'dismissed']);
export type DraftState = z.infer<typeof DraftState>;

/** One condition that the law puts on evidence from monitoring equipment. */
export const ChecklistItem = z.strictObject({
  id: z.string(),
  text: BiText,
  result: z.enum(['met', 'not-met', 'for-person']),
  detail: BiText,
  /** Where the condition stands, e.g. 行政处罚法 第四十一条第一款. */
  clause: z.string(),
});
export type ChecklistItem = z.infer<typeof ChecklistItem>;

/** Why this desk: matter × place × time → unit. */
export const Route = z.strictObject({
  unit: Id.nullable(),
  coUnits: z.array(Id),
  reason: z.enum(['empowerment', 'default', 'no-match', 'several-match', 'no-matter']),
  candidates: z.array(Id),
  text: BiText,
});
export type Route = z.infer<typeof Route>;

/** 线索草案: a draft until a person confirms it. */
export const DraftCase = z.strictObject({
  id: z.string(),
  /** Readable number, e.g. XS-20261122-0007. */
  number: z.string(),
  state: DraftState,
  alert: z.string(),
  matter: Id.nullable(),
  /** 案由, with 涉嫌. */
  cause: BiText,
  facts: BiText,
  regulatedParty: RegulatedParty.nullable(),
  bases: z.array(LegalBasis),
  device: Id,
  site: Id,
  location: LonLat,
  occurred: z.strictObject({ from: EpochMs, to: EpochMs }),
  route: Route,
  /** `evidence` only when every condition is met or for a person to check; else `on-site-check`. */
  standing: z.enum(['evidence', 'on-site-check']),
  checklist: z.array(ChecklistItem),
  findings: z.array(Finding),
  createdAt: EpochMs,
  dueAt: EpochMs,
  review: z
    .strictObject({
      by: z.string(),
      at: EpochMs,
      decision: z.enum(['confirmed', 'dismissed']),
      reason: z.string(),
    })
    .nullable(),
  lead: z.string().nullable(),
  version: z.number().int(),
});
export type DraftCase = z.infer<typeof DraftCase>;
