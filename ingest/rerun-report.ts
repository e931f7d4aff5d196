import { z } from 'zod';
import { type QuarantineEntry, QuarantineReason } from '../contracts/index.ts';
import { EntryFilter } from './quarantine-look.ts';

/** What a re-run is asked, and what it says of its work: see rerun.ts. */
export const RerunRequest = EntryFilter.omit({ state: true }).extend({
  ids: z.array(z.string().max(64)).min(1).max(1_000).optional(),
  name: z.string().min(1).max(200).optional().describe('As `device`: how an unknown device called itself'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
  after: z.string().max(64).optional().describe('Goes on behind this id: `next` of the report before'),
});
export type RerunRequest = z.input<typeof RerunRequest>;

/** Why an entry is not run at all. */
export const NotRun = z.enum([
  'truncated',
  'not-a-message',
  'conflict',
  'sender-unknown',
  'resolved-already',
]);
export type NotRun = z.infer<typeof NotRun>;

export const RerunReport = z.strictObject({
  /** Entries looked at: the sum of the four below. */
  looked: z.number().int(),
  taken: z.number().int().describe('Entries of which something new was taken, and nothing is left to refuse'),
  duplicates: z.number().int().describe('Entries that held only what is known already; resolved too'),
  stillRefused: z.number().int().describe('Entries that stay, with the reason that holds now'),
  notRun: z.number().int().describe('Entries that cannot run again'),
  readings: z.number().int().describe('Readings and pictures taken'),
  stays: z
    .array(
      z.strictObject({ id: z.string(), reason: z.union([QuarantineReason, NotRun]), detail: z.string() }),
    )
    .describe('The first hundred entries that stay, and why'),
  next: z.string().nullable().describe('There may be more behind this id; null: that was all'),
});
export type RerunReport = z.infer<typeof RerunReport>;

/** What became of one entry. */
export type Outcome = { entry: QuarantineEntry } & (
  | { kind: 'taken'; readings: number }
  | { kind: 'duplicate'; readings: number }
  | { kind: 'refused'; reason: QuarantineReason; detail: string; readings: number }
  | { kind: 'not-run'; reason: NotRun }
);

const STAYS_NAMED = 100;

const NOT_RUN: Record<NotRun, string> = {
  truncated: 'only a part of the message was kept',
  'not-a-message': 'it is a point on its way to the series store, not a message',
  conflict: 'another value is stored under its key, and stays',
  'sender-unknown': 'it was written before senders were kept',
  'resolved-already': 'it was taken or dismissed',
};

export function count(report: RerunReport, outcome: Outcome): void {
  report.looked += 1;
  if (outcome.kind !== 'not-run') report.readings += outcome.readings;
  if (outcome.kind === 'taken') report.taken += 1;
  else if (outcome.kind === 'duplicate') report.duplicates += 1;
  else if (outcome.kind === 'refused') {
    report.stillRefused += 1;
    name(report, outcome.entry, outcome.reason, outcome.detail);
  } else {
    report.notRun += 1;
    name(report, outcome.entry, outcome.reason, NOT_RUN[outcome.reason]);
  }
}

function name(
  report: RerunReport,
  { id }: QuarantineEntry,
  reason: RerunReport['stays'][number]['reason'],
  detail: string,
) {
  if (report.stays.length < STAYS_NAMED) report.stays.push({ id, reason, detail });
}

export function emptyReport(): RerunReport {
  return {
    looked: 0,
    taken: 0,
    duplicates: 0,
    stillRefused: 0,
    notRun: 0,
    readings: 0,
    stays: [],
    next: null,
  };
}
