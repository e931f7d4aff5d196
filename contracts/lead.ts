import { z } from 'zod';
import { DraftCase } from './draft-case.ts';

/** A draft case as delivered to a case system: CloudEvents 1.0, structured JSON. `id` is stable over every retry. */
export const LeadEvent = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.literal('cn.qianliyan.lead.created.v1'),
  subject: z.string(),
  time: z.iso.datetime({ offset: true }),
  datacontenttype: z.literal('application/json'),
  data: z.strictObject({
    lead: z.string(),
    unit: z.string(),
    draftCase: DraftCase,
    evidence: z.array(
      z.strictObject({ name: z.string(), sha256: z.string(), mediaType: z.string(), url: z.string() }),
    ),
  }),
});
export type LeadEvent = z.infer<typeof LeadEvent>;

export const LeadState = z.enum(['pending', 'delivered', 'failed']);
export type LeadState = z.infer<typeof LeadState>;
