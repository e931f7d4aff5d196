/** After the decision: who decided and why, and how far the lead has come on its way to the unit. */
import type { DraftCase } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import { leads } from '../state/desk.ts';
import { productTimeAt } from '../state/product-clock.ts';
import { useStore } from '../state/store.ts';
import { clockTime, dayTime } from '../text/format.ts';
import { Icon } from '../ui/icons.tsx';

export function LeadState({ draft }: { draft: DraftCase }) {
  const { t } = useTexts();
  const lead = useStore(leads, (all) => all.get(draft.id));
  const { review } = draft;
  if (review === null) return null;
  return (
    <div class={`outcome ${review.decision}`} data-testid="outcome">
      <p>
        <span class="outcome-mark">
          <Icon name={review.decision === 'confirmed' ? 'check' : 'close'} />
        </span>
        <b>{t(`draft.state.${review.decision}`)}</b>
        <span class="dim">{t('review.by', { who: review.by, time: dayTime(review.at) })}</span>
      </p>
      <p class="prose">
        {review.reason === '' ? <span class="dim">{t('review.noReason')}</span> : review.reason}
      </p>
      {review.decision === 'confirmed' && (
        <div class={`lead ${lead?.state ?? 'waiting'}`} data-testid="lead" aria-live="polite">
          <Icon name="send" />
          <div>
            <p>
              <b>{lead === undefined ? t('lead.waiting') : t(`lead.${lead.state}`)}</b>
              {lead?.deliveredAt != null && (
                <span class="dim">{clockTime(productTimeAt(lead.deliveredAt))}</span>
              )}
              {lead !== undefined && lead.state !== 'delivered' && lead.attempts > 0 && (
                <span class="dim">{t('lead.attempts', { n: lead.attempts })}</span>
              )}
              {lead?.state === 'pending' && lead.nextTryAt !== null && lead.attempts > 0 && (
                <span class="dim">{t('lead.next', { time: clockTime(productTimeAt(lead.nextTryAt)) })}</span>
              )}
            </p>
            {lead !== undefined && (
              <p class="dim">
                {t('lead.id')} <code class="break">{lead.id}</code>
              </p>
            )}
            {lead !== undefined && lead.state !== 'delivered' && lead.lastError !== null && (
              <p class="over break">{lead.lastError}</p>
            )}
            {lead?.receipt != null && (
              <p class="dim">
                {t('lead.receipt')} <code class="break">{receiptText(lead.receipt)}</code>
              </p>
            )}
          </div>
        </div>
      )}
    </div>
  );
}

/** A receipt is the case system's own answer: its number, where it names one as `receipt`, else the whole text. */
function receiptText(receipt: unknown): string {
  const text = typeof receipt === 'string' ? receipt : JSON.stringify(receipt);
  try {
    const { receipt: number } = JSON.parse(text) as { receipt?: unknown };
    return typeof number === 'string' ? number : text;
  } catch {
    return text;
  }
}
