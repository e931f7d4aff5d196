/** Search, state and kind. Counts beside the kinds are those of the active alerts, whatever else is filtered. */
import type { RefObject } from 'preact';
import type { FindingKind } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import { type Filter, KINDS, NO_FILTER, STATE_FILTERS } from '../state/filter.ts';
import { Icon, KindIcon } from '../ui/icons.tsx';

export interface FiltersProps {
  filter: Filter;
  onChange: (filter: Filter) => void;
  /** Active alerts by kind. */
  perKind: ReadonlyMap<FindingKind, number>;
  searchRef: RefObject<HTMLInputElement | null>;
}

export function Filters({ filter, onChange, perKind, searchRef }: FiltersProps) {
  const { t } = useTexts();
  const toggle = (kind: FindingKind): void =>
    onChange({
      ...filter,
      kinds: filter.kinds.includes(kind) ? filter.kinds.filter((k) => k !== kind) : [...filter.kinds, kind],
    });
  return (
    <div class="filters">
      <div class="search">
        <Icon name="search" />
        <input
          ref={searchRef}
          type="search"
          value={filter.text}
          placeholder={t('list.search')}
          aria-label={t('list.search')}
          onInput={(event) => onChange({ ...filter, text: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === 'Escape' || event.key === 'Enter') event.currentTarget.blur();
            if (event.key === 'Escape' && filter.text !== '') onChange({ ...filter, text: '' });
            if (event.key === 'Escape') event.stopPropagation();
          }}
        />
        <span class="kbd" aria-hidden="true">
          /
        </span>
      </div>
      <div class="segments" role="radiogroup" aria-label={t('list.label')}>
        {STATE_FILTERS.map((state) => (
          // biome-ignore lint/a11y/useSemanticElements: a row of buttons that works as one radio group
          <button
            key={state}
            type="button"
            role="radio"
            aria-checked={filter.state === state}
            onClick={() => onChange({ ...filter, state })}
          >
            {t(`list.state.${state}`)}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would bring a legend that nobody needs to see */}
      <div class="kinds" role="group" aria-label={t('list.kinds')}>
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            class="kind-chip"
            aria-pressed={filter.kinds.includes(kind)}
            aria-label={`${t(`kind.${kind}`)} ${perKind.get(kind) ?? 0}`}
            title={t(`kind.${kind}`)}
            onClick={() => toggle(kind)}
          >
            <KindIcon kind={kind} />
            <span>{perKind.get(kind) ?? 0}</span>
          </button>
        ))}
        {filter.kinds.length > 0 && (
          <button
            type="button"
            class="icon-button"
            aria-label={t('list.kinds.clear')}
            title={t('list.kinds.clear')}
            onClick={() => onChange({ ...filter, kinds: NO_FILTER.kinds })}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
    </div>
  );
}
