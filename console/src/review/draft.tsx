/** The draft case: what a reviewer needs to decide, and the decision. */
import type { ComponentChildren } from 'preact';
import type { ChecklistItem, DraftCase, LegalBasis, Route } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import type { Names } from '../state/places.ts';
import { useNow } from '../state/product-clock.ts';
import { fullTime, interval, span } from '../text/format.ts';
import { Icon } from '../ui/icons.tsx';
import { Facts, Loading } from '../ui/parts.tsx';
import { Checklist } from './checklist.tsx';
import { Decide } from './decide.tsx';
import { EvidenceList } from './evidence.tsx';
import { LeadState } from './lead.tsx';

export function DraftPanel({
  draft,
  expected,
  names,
}: {
  draft: DraftCase | null;
  expected: boolean;
  names: Names;
}) {
  const { t } = useTexts();
  if (draft === null) {
    return (
      <section class="draft" aria-label={t('draft.title')}>
        {expected ? (
          <Loading text={t('alert.loading')} />
        ) : (
          <div class="note empty">
            <p>{t('draft.none')}</p>
            <p class="dim">{t('draft.none.hint')}</p>
          </div>
        )}
      </section>
    );
  }
  return <Draft draft={draft} names={names} />;
}

function Draft({ draft, names }: { draft: DraftCase; names: Names }) {
  const { t, bi } = useTexts();
  const unit = draft.route.unit === null ? null : bi(names.unit(draft.route.unit));
  return (
    <section class={`draft ${draft.state}`} aria-label={t('draft.title')} data-testid="draft">
      <div class="draft-scroll">
        <header class="draft-head">
          <p>
            <span class="number">{draft.number}</span>
            <span class={`tag state-${draft.state}`} data-testid="draft-state">
              {t(`draft.state.${draft.state}`)}
            </span>
            <span class={`tag standing-${draft.standing}`} title={t(`standing.${draft.standing}.hint`)}>
              {t(`standing.${draft.standing}`)}
            </span>
          </p>
          <h3>{bi(draft.cause)}</h3>
          <Due draft={draft} />
        </header>
        {draft.review !== null && <LeadState draft={draft} />}
        <Part title={t('draft.desk')}>
          <Desk route={draft.route} unit={unit} names={names} />
        </Part>
        <Part title={t('draft.facts')}>
          <p class="prose">{bi(draft.facts)}</p>
          <Facts
            rows={[
              [t('draft.occurred'), interval(draft.occurred.from, draft.occurred.to)],
              [t('draft.party'), <Party key="p" party={draft.regulatedParty} />],
            ]}
          />
        </Part>
        <Part title={t('draft.checklist')} aside={<Tally items={draft.checklist} />}>
          <Checklist items={draft.checklist} />
        </Part>
        <Part title={t('draft.bases')}>
          <Bases bases={draft.bases} />
        </Part>
        <Part title={t('draft.evidence')}>
          <EvidenceList draft={draft.id} version={draft.version} />
        </Part>
      </div>
      <Decide draft={draft} unit={unit} />
    </section>
  );
}

const Part = ({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) => (
  <section class="part">
    <h4>
      {title}
      {aside}
    </h4>
    {children}
  </section>
);

function Due({ draft }: { draft: DraftCase }) {
  const texts = useTexts();
  const { t } = texts;
  const now = useNow(1000);
  if (draft.state !== 'draft') return null;
  const left = draft.dueAt - now;
  return (
    <p class={left < 0 ? 'due over' : 'due'} title={fullTime(draft.dueAt)}>
      <Icon name="clock" />
      {t('draft.due')}{' '}
      {left < 0
        ? t('draft.due.over', { span: span(-left, texts) })
        : t('draft.due.left', { span: span(left, texts) })}
    </p>
  );
}

function Desk({ route, unit, names }: { route: Route; unit: string | null; names: Names }) {
  const { t, bi, language } = useTexts();
  const list = (ids: readonly string[]): string | null =>
    ids.length === 0 ? null : ids.map((id) => bi(names.unit(id))).join(language === 'zh' ? '、' : ', ');
  return (
    <div class="desk">
      <p class="desk-unit">
        <Icon name="pin" />
        <b>{unit ?? t('draft.desk.nobody')}</b>
        <span class={`tag route-${route.reason}`}>{t(`route.${route.reason}`)}</span>
      </p>
      <p class="prose" data-testid="route-text">
        {bi(route.text)}
      </p>
      <Facts
        rows={[
          [t('draft.desk.co'), list(route.coUnits)],
          [t('draft.desk.candidates'), list(route.candidates.filter((id) => id !== route.unit))],
        ]}
      />
    </div>
  );
}

function Party({ party }: { party: DraftCase['regulatedParty'] }) {
  const { t } = useTexts();
  if (party === null) return <span class="dim">{t('draft.party.none')}</span>;
  return (
    <>
      {party.name}
      {party.uscc !== undefined && <code class="uscc">{party.uscc}</code>}
    </>
  );
}

function Tally({ items }: { items: readonly ChecklistItem[] }) {
  const n = (result: ChecklistItem['result']): number =>
    items.filter((item) => item.result === result).length;
  return (
    <span class="tally" aria-hidden="true">
      <span class="met">✓ {n('met')}</span>
      {n('not-met') > 0 && <span class="not-met">✕ {n('not-met')}</span>}
      {n('for-person') > 0 && <span class="for-person">? {n('for-person')}</span>}
    </span>
  );
}

function Bases({ bases }: { bases: readonly LegalBasis[] }) {
  const { t, bi } = useTexts();
  if (bases.length === 0) return <p class="dim">{t('draft.bases.none')}</p>;
  return (
    <ul class="bases">
      {bases.map((basis) => (
        <li key={basis.id} title={basis.source}>
          <p>
            <span class="tag">{t(`basis.${basis.role}`)}</span>
            <span>
              {bi(basis.law)} {basis.article}
            </span>
          </p>
          <p class="dim">
            {t(`basis.level.${basis.level}`)}
            <span class={`certainty ${basis.certainty}`}>{t(`certainty.${basis.certainty}`)}</span>
          </p>
        </li>
      ))}
    </ul>
  );
}
