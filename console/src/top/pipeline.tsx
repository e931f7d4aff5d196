/** The whole way in one line: received → stored → findings → alerts → drafts → leads, and what was not taken. */
import type { Counts } from '../api/types.ts';
import { useTexts } from '../i18n/index.ts';
import { counts } from '../state/desk.ts';
import { useStore } from '../state/store.ts';
import { count } from '../text/format.ts';

const sum = (byKind: Record<string, number>): number => Object.values(byKind).reduce((a, b) => a + b, 0);

interface Step {
  name: string;
  label: string;
  value: number;
  note?: string | false;
  tone?: 'calm' | 'attention' | 'bad';
  title?: string;
}

export function Pipeline() {
  const { t, word } = useTexts();
  const latest = useStore(counts);
  const steps = latest === null ? [] : stepsOf(latest.now, latest.perSecond);

  function stepsOf(now: Counts, perSecond: number | null): Step[] {
    const lag = sum(now.lag);
    const byKind = (kinds: Record<string, number>): string =>
      Object.entries(kinds)
        .map(([kind, n]) => `${word('kind', kind)} ${n}`)
        .join(' · ');
    return [
      {
        name: 'received',
        label: t('flow.received'),
        value: now.observations.acknowledged,
        note: perSecond !== null && t('flow.rate', { n: count(Math.round(perSecond)) }),
      },
      {
        name: 'stored',
        label: t('flow.stored'),
        value: now.observations.stored,
        note: lag > 0 && t('flow.lag', { n: count(lag) }),
        tone: lag > 10_000 ? 'attention' : 'calm',
        title: t('flow.lag.title', {
          list: Object.entries(now.lag)
            .map(([group, n]) => `${group} ${n}`)
            .join(' · '),
        }),
      },
      { name: 'frames', label: t('flow.frames'), value: now.frames },
      { name: 'findings', label: t('flow.findings'), value: sum(now.findings), title: byKind(now.findings) },
      {
        name: 'alerts',
        label: t('flow.alerts'),
        value: sum(now.alerts),
        note: now.alertsOpen > 0 && t('flow.open', { n: now.alertsOpen }),
        tone: 'attention',
        title: byKind(now.alerts),
      },
      {
        name: 'drafts',
        label: t('flow.drafts'),
        value: sum(now.drafts),
        note: now.draftsOpen > 0 && t('flow.awaiting', { n: now.draftsOpen }),
        tone: 'attention',
        title: byKind(now.drafts),
      },
      {
        name: 'leads',
        label: t('flow.leads'),
        value: now.leads.delivered,
        note:
          now.leads.failed > 0
            ? t('flow.failed', { n: now.leads.failed })
            : now.leads.pending > 0 && t('flow.pending', { n: now.leads.pending }),
        tone: now.leads.failed > 0 ? 'bad' : 'calm',
      },
      {
        name: 'quarantined',
        label: t('flow.quarantined'),
        value: now.quarantined,
        tone: now.quarantined > 0 ? 'attention' : 'calm',
      },
    ];
  }

  return (
    <nav class="pipeline" aria-label={t('flow.label')}>
      <ol>
        {steps.map((step) => (
          <li
            key={step.name}
            class={`step step-${step.name} ${step.tone ?? 'calm'}`}
            title={step.title}
            data-testid={`count-${step.name}`}
          >
            <span class="step-label">{step.label}</span>
            <span class="step-value">{count(step.value)}</span>
            {step.note && <span class="step-note">{step.note}</span>}
          </li>
        ))}
        {latest === null &&
          Array.from({ length: 8 }, (_, i) => (
            <li key={i} class="step skeleton" aria-hidden="true">
              <span class="step-label">　　</span>
              <span class="step-value">—</span>
            </li>
          ))}
      </ol>
    </nav>
  );
}
