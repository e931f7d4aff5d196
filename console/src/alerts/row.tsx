/** One alert in the list: how bad (shape and colour), what, where, when, and whose. */
import type { Alert, BiText } from '../../../contracts/index.ts';
import type { Texts } from '../i18n/index.ts';
import { ago, clockTime } from '../text/format.ts';
import { KindIcon, SeverityIcon } from '../ui/icons.tsx';
import { Time } from '../ui/parts.tsx';

export interface RowProps {
  alert: Alert;
  texts: Texts;
  device: BiText;
  area: BiText | null;
  unit: BiText | null;
  now: number;
  index: number;
  total: number;
  top: number;
  open: boolean;
  cursor: boolean;
  fresh: boolean;
  onOpen: () => void;
}

export function AlertRow({ alert, texts, device, area, unit, now, index, total, top, ...row }: RowProps) {
  const { t, bi } = texts;
  const classes = ['row', alert.severity, alert.state];
  if (row.open) classes.push('is-open');
  if (row.cursor) classes.push('is-cursor');
  if (row.fresh) classes.push('is-fresh');
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the list box holds the focus and points here (aria-activedescendant)
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the list box's
    <div
      id={`alert-${alert.id}`}
      class={classes.join(' ')}
      role="option"
      aria-selected={row.open}
      aria-posinset={index + 1}
      aria-setsize={total}
      style={{ transform: `translateY(${top}px)` }}
      onClick={row.onOpen}
      data-alert={alert.id}
    >
      <SeverityIcon severity={alert.severity} />
      <div class="row-head">
        <span class="row-kind">
          <KindIcon kind={alert.kind} />
          {t(`kind.${alert.kind}`)}
        </span>
        {alert.state !== 'open' && <span class="row-state">{t(`alert.state.${alert.state}`)}</span>}
        <span class="grow" />
        <span class="row-ago">{ago(alert.raisedAt, now, texts)}</span>
        <Time at={alert.raisedAt}>{clockTime(alert.raisedAt)}</Time>
      </div>
      <div class="row-summary" title={bi(alert.summary)}>
        {bi(alert.summary)}
      </div>
      <div class="row-foot">
        <span class="row-place">
          {area !== null && `${bi(area)} · `}
          {bi(device)}
        </span>
        <span class="row-unit">{unit === null ? '' : bi(unit)}</span>
      </div>
    </div>
  );
}
