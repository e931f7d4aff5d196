/** Which alerts the list shows. Pure. */
import type { Alert, FindingKind } from '../../../contracts/index.ts';

/** `active` = open or acknowledged: what still asks for somebody. */
export const STATE_FILTERS = ['active', 'open', 'acknowledged', 'resolved', 'all'] as const;
export type StateFilter = (typeof STATE_FILTERS)[number];

export interface Filter {
  state: StateFilter;
  /** Empty = all kinds. */
  kinds: readonly FindingKind[];
  text: string;
}

export const NO_FILTER: Filter = { state: 'active', kinds: [], text: '' };

export const KINDS: readonly FindingKind[] = [
  'limit-exceeded',
  'early-warning',
  'anomaly',
  'falsification',
  'image',
  'combined',
  'device-silent',
  'device-fault',
];

export function stateFits(alert: Alert, state: StateFilter): boolean {
  if (state === 'all') return true;
  return state === 'active' ? alert.state !== 'resolved' : alert.state === state;
}

/** `searchable` gives the words of an alert that are not in it: names of its device, area and unit. */
export function filterAlerts(
  alerts: readonly Alert[],
  filter: Filter,
  searchable: (alert: Alert) => string,
): Alert[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return alerts.filter((alert) => {
    if (!stateFits(alert, filter.state)) return false;
    if (filter.kinds.length > 0 && !filter.kinds.includes(alert.kind)) return false;
    if (words.length === 0) return true;
    const text = [
      alert.id,
      alert.device,
      alert.site,
      alert.reason,
      alert.summary.zh,
      alert.summary.en,
      searchable(alert),
    ]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
