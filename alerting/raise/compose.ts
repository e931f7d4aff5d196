import type { Alert, Finding, RegisteredDevice, Severity } from '../../contracts/index.ts';
import { fingerprintOf } from './fingerprint.ts';

/** Low to high. */
const SEVERITIES: readonly Severity[] = ['info', 'watch', 'warning', 'violation'];

export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

export interface AlertParts {
  id: string;
  /** By start, then id. Never empty. */
  findings: readonly [Finding, ...Finding[]];
  /** The alert as it was; null = it is raised now. */
  previous: Alert | null;
  /** As registered when it began; undefined = the registry has no record. */
  device: RegisteredDevice | undefined;
  /** The product's time. */
  now: number;
  matter: string | null;
}

/**
 * The alert that a set of findings makes. All but its id, `raisedAt`, `trigger` and what people did to it depends on
 * the set alone. Severity goes up and down with the open findings; a resolved alert keeps its highest.
 */
export function composeAlert(parts: AlertParts): Alert {
  const { findings, previous, device } = parts;
  const first = findings[0];
  const leading = leadingOf(findings);
  return {
    id: parts.id,
    fingerprint: fingerprintOf(first),
    kind: first.kind,
    reason: first.reason,
    severity: leading.severity,
    matter: parts.matter,
    device: first.device,
    datastream: first.datastream ?? null,
    zone: first.zone ?? null,
    // A device that the registry does not know stands nowhere: [0, 0] routes to no unit, so that a person looks.
    site: device?.site ?? first.device,
    location: device?.location ?? [0, 0],
    summary: leading.summary,
    measure: leading.measure,
    startedAt: first.interval.from,
    lastSeenAt: Math.max(...findings.map((f) => f.interval.to)),
    findings: findings.map((f) => f.id),
    draftCase: previous?.draftCase ?? null,
    raisedAt: previous?.raisedAt ?? parts.now,
    trigger: previous?.trigger ?? first.trigger,
    ...lifecycle(findings, previous, parts.now),
  };
}

type Lifecycle = Pick<Alert, 'state' | 'acknowledgedAt' | 'acknowledgedBy' | 'resolvedAt'>;

/**
 * open ──acknowledge──▶ acknowledged ──all findings closed──▶ resolved
 *   └───────────────────all findings closed───────────────────▲   └─it comes again: open, to be acknowledged anew
 */
function lifecycle(findings: readonly Finding[], previous: Alert | null, now: number): Lifecycle {
  const acknowledged = {
    acknowledgedAt: previous?.acknowledgedAt ?? null,
    acknowledgedBy: previous?.acknowledgedBy ?? null,
  };
  if (findings.every((f) => f.state === 'closed')) {
    return { state: 'resolved', ...acknowledged, resolvedAt: previous?.resolvedAt ?? now };
  }
  if (previous?.state === 'acknowledged') return { state: 'acknowledged', ...acknowledged, resolvedAt: null };
  return { state: 'open', acknowledgedAt: null, acknowledgedBy: null, resolvedAt: null };
}

/** The finding that speaks for the alert: the most severe of the open ones (of all, when none is), then the latest. */
function leadingOf(findings: readonly [Finding, ...Finding[]]): Finding {
  const open = findings.filter((f) => f.state !== 'closed');
  const [leading] = (open.length > 0 ? open : [...findings]).sort(
    (a, b) =>
      severityRank(b.severity) - severityRank(a.severity) ||
      b.interval.to - a.interval.to ||
      (a.id < b.id ? -1 : 1),
  );
  return leading ?? findings[0];
}
