import { createHash } from 'node:crypto';
import type { Catalog } from '../../backbone/catalog.ts';
import type { DeviceDirectory } from '../../backbone/index.ts';
import type { Alert, DraftCase, Finding, RegisteredDevice } from '../../contracts/index.ts';
import type { Router } from '../route/index.ts';
import { localDate } from '../store/local-time.ts';
import { basesInForce } from './bases.ts';
import { checklist, standingOf } from './checklist.ts';
import { facts } from './facts.ts';

/** What a draft is composed from, besides the alert. */
export interface DraftSources {
  catalog: Catalog;
  router: Router;
  directory: DeviceDirectory;
  utcOffsetMinutes: number;
}

/** What stays the same over all versions of a draft. */
export type DraftIdentity = Pick<DraftCase, 'id' | 'number' | 'createdAt' | 'dueAt' | 'version'>;

export function draftId(alert: string): string {
  return `d_${createHash('sha256').update(alert).digest('hex').slice(0, 24)}`;
}

/** `XS-20261122-0007` (XS = 线索) */
export function draftNumber(date: string, count: number): string {
  return `XS-${date.replaceAll('-', '')}-${String(count).padStart(4, '0')}`;
}

/** The device as registered at the capture; the oldest record known when it was registered later. */
export function deviceAt(
  directory: DeviceDirectory,
  id: string,
  times: readonly number[],
): RegisteredDevice | undefined {
  for (const time of times) {
    const device = directory.at(id, time);
    if (device !== undefined) return device;
  }
  return directory.get(id);
}

/** Composes a draft from an alert and its findings. The same input gives the same draft. */
export function composeDraft(
  identity: DraftIdentity,
  alert: Alert,
  findings: readonly [Finding, ...Finding[]],
  { catalog, router, directory, utcOffsetMinutes }: DraftSources,
): DraftCase {
  const [first] = findings;
  const occurred = { from: alert.startedAt, to: alert.lastSeenAt };
  const date = localDate(occurred.from, utcOffsetMinutes);
  const matter = alert.matter === null ? undefined : catalog.matters.get(alert.matter);
  const bases = matter === undefined ? [] : basesInForce(catalog, matter, date);
  // Conditions of evidence must hold at the capture itself: no later record will do.
  const record = directory.at(alert.device, first.trigger.time);
  const items = checklist({ finding: leading(alert, findings), device: record, date, bases, catalog });
  const cause = matter?.cause ?? matter?.name ?? { zh: alert.matter ?? '', en: alert.matter ?? '' };
  return {
    ...identity,
    state: 'draft',
    alert: alert.id,
    matter: alert.matter,
    cause: { zh: `涉嫌${cause.zh}`, en: `Suspected: ${cause.en}` },
    facts: facts({
      findings,
      device: record,
      location: alert.location,
      area: router.areaOf(alert.location)?.properties.name ?? null,
      occurred,
      over: alert.state === 'resolved',
      utcOffsetMinutes,
    }),
    regulatedParty: record?.regulatedParty ?? null,
    bases,
    device: alert.device,
    site: alert.site,
    location: alert.location,
    occurred,
    route: router.route({ matter: alert.matter, place: alert.location, at: occurred.from }),
    standing: standingOf(items),
    checklist: items,
    findings: [...findings],
    review: null,
    lead: null,
  };
}

function leading(alert: Alert, findings: readonly [Finding, ...Finding[]]): Finding {
  return (
    findings.find((f) => f.severity === alert.severity && f.measure.value === alert.measure.value) ??
    findings[0]
  );
}
