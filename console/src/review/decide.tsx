/**
 * Confirm or dismiss, each with its dialog. A refusal (somebody was faster, the draft has changed) is said in the dialog, the
 * newest draft is loaded behind it, and nothing is sent again by itself. There is no undo: the law knows none.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { DraftCase } from '../../../contracts/index.ts';
import { ApiError, api } from '../api/client.ts';
import { currentTexts, useTexts } from '../i18n/index.ts';
import { type Decision, deciding } from '../state/actions.ts';
import { putDrafts, session } from '../state/desk.ts';
import { useStore } from '../state/store.ts';
import { failureText } from '../ui/errors.ts';
import { Icon } from '../ui/icons.tsx';
import { Dialog } from '../ui/parts.tsx';
import { say } from '../ui/toasts.tsx';
import { Checklist } from './checklist.tsx';

/** Only a reviewer decides; the server checks it again. */
export function Decide({ draft, unit }: { draft: DraftCase; unit: string | null }) {
  const { t } = useTexts();
  const open = useStore(deciding);
  const may = useStore(session, (who) => who?.roles.includes('reviewer') ?? false);
  // A dialog that was asked for elsewhere must not open on the next draft.
  useEffect(() => () => deciding.set(null), [draft.id]);
  // The dialog stays while it shows why it was refused, even if the draft is decided by now.
  if (draft.state !== 'draft' && open === null) return null;
  if (!may) return <footer class="decide dim">{t('review.notAllowed')}</footer>;
  return (
    <footer class="decide">
      <button
        type="button"
        class="button"
        onClick={() => deciding.set('dismiss')}
        disabled={draft.state !== 'draft'}
        data-testid="dismiss"
      >
        {t('review.dismiss')}{' '}
        <span class="kbd" aria-hidden="true">
          X
        </span>
      </button>
      <button
        type="button"
        class="button primary"
        onClick={() => deciding.set('confirm')}
        disabled={draft.state !== 'draft'}
        data-testid="confirm"
      >
        {t('review.confirm')}{' '}
        <span class="kbd" aria-hidden="true">
          C
        </span>
      </button>
      {open !== null && (
        <DecisionDialog key={`${draft.id}${open}`} decision={open} draft={draft} unit={unit} />
      )}
    </footer>
  );
}

const PRESETS = ['maintenance', 'exempt', 'false', 'duplicate'] as const;

function DecisionDialog({
  decision,
  draft,
  unit,
}: {
  decision: Decision;
  draft: DraftCase;
  unit: string | null;
}) {
  const { t } = useTexts();
  const [reason, setReason] = useState('');
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const close = (): void => deciding.set(null);
  useEffect(() => field.current?.focus(), []);

  const submit = async (): Promise<void> => {
    if (working) return;
    if (decision === 'dismiss' && reason.trim() === '') {
      setProblem(t('review.reason.required'));
      field.current?.focus();
      return;
    }
    setWorking(true);
    setProblem(null);
    try {
      putDrafts([await api.decide(draft.id, decision, { version: draft.version, reason: reason.trim() })]);
      say(
        'good',
        t(decision === 'confirm' ? 'review.confirmed.toast' : 'review.dismissed.toast', {
          number: draft.number,
        }),
      );
      close();
    } catch (error) {
      setProblem(await refusalText(error, draft.id));
      setWorking(false);
    }
  };
  const attention = draft.checklist.filter((item) => item.result !== 'met');
  return (
    <Dialog title={t(`review.${decision}.title`)} class="decision" onClose={close}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <h3>{t(`review.${decision}.title`)}</h3>
        <p class="dim">
          {draft.number} ·{' '}
          {decision === 'dismiss'
            ? t('review.dismiss.hint')
            : unit === null
              ? t('review.confirm.nobody')
              : t('review.confirm.hint', { unit })}
        </p>
        {decision === 'confirm' && attention.length > 0 && (
          <>
            <p>{t('review.confirm.attention')}</p>
            <Checklist items={attention} />
          </>
        )}
        {decision === 'dismiss' && (
          <div class="presets">
            {PRESETS.map((preset) => (
              <button
                key={preset}
                type="button"
                class="pill"
                onClick={() => {
                  setReason(t(`review.preset.${preset}`));
                  field.current?.focus();
                }}
              >
                {t(`review.preset.${preset}`)}
              </button>
            ))}
          </div>
        )}
        <label class="field">
          {decision === 'dismiss' ? t('review.reason') : t('review.reason.optional')}
          <textarea
            ref={field}
            rows={3}
            maxLength={2000}
            value={reason}
            placeholder={decision === 'dismiss' ? t('review.reason.placeholder') : ''}
            aria-invalid={problem !== null && reason.trim() === '' && decision === 'dismiss'}
            onInput={(event) => {
              setReason(event.currentTarget.value);
              setProblem(null);
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit();
            }}
          />
        </label>
        {problem !== null && (
          <p class="problem" role="alert">
            <Icon name="alert" />
            {problem}
          </p>
        )}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={close}>
            {t('review.cancel')}
          </button>
          <button
            type="submit"
            class={`button ${decision === 'confirm' ? 'primary' : 'danger'}`}
            disabled={working || draft.state !== 'draft' || (decision === 'confirm' && unit === null)}
          >
            {working ? t('review.working') : t(`review.${decision}`)}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Why it was refused, in the officer's words; where somebody was faster, what the draft looks like now. */
async function refusalText(error: unknown, draftId: string): Promise<string> {
  if (!(error instanceof ApiError) || error.status !== 409) return failureText(error);
  const now = await api.draftCase(draftId).catch(() => null);
  if (now !== null) putDrafts([now]);
  const { t } = currentTexts();
  if (now !== null && now.review !== null) {
    return t('review.illegal', { who: now.review.by, decision: t(`review.done.${now.review.decision}`) });
  }
  if (error.code === 'CONFLICT' && now !== null) return t('review.conflict', { n: now.version });
  return t('review.illegal.unknown');
}
