/** What the law asks of evidence from monitoring equipment, and how this case stands to it. */
import type { ChecklistItem } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import { Icon } from '../ui/icons.tsx';

const CHECK_ICONS = { met: 'check', 'not-met': 'close', 'for-person': 'person' } as const;
/** What asks for attention comes first. */
const CHECK_ORDER = { 'not-met': 0, 'for-person': 1, met: 2 } as const;

export function Checklist({ items }: { items: readonly ChecklistItem[] }) {
  const { t, bi } = useTexts();
  const sorted = [...items].sort((a, b) => CHECK_ORDER[a.result] - CHECK_ORDER[b.result]);
  return (
    <ul class="checklist">
      {sorted.map((item) => (
        <li key={item.id} class={item.result} title={item.clause}>
          <span class="check-mark" role="img" aria-label={t(`check.${item.result}`)}>
            <Icon name={CHECK_ICONS[item.result]} />
          </span>
          <div>
            <p>{bi(item.text)}</p>
            <p class="dim">{bi(item.detail)}</p>
          </div>
        </li>
      ))}
    </ul>
  );
}
