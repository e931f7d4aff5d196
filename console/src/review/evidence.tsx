/** The files that the case rests on, each named by the hash of its bytes. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError, api } from '../api/client.ts';
import type { Evidence, EvidenceItem } from '../api/types.ts';
import { useTexts } from '../i18n/index.ts';
import { bytes } from '../text/format.ts';
import { Icon } from '../ui/icons.tsx';
import { Failure, Loading } from '../ui/parts.tsx';
import { say } from '../ui/toasts.tsx';

export function EvidenceList({ draft, version }: { draft: string; version: number }) {
  const { t } = useTexts();
  const [answer, setAnswer] = useState<Evidence | { error: ApiError } | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let gone = false;
    api
      .evidence(draft)
      .then((list) => !gone && setAnswer(list))
      .catch((reason: unknown) => {
        if (!gone)
          setAnswer({
            error: reason instanceof ApiError ? reason : new ApiError('INTERNAL', 0, String(reason)),
          });
      });
    return () => {
      gone = true;
    };
  }, [draft, version, tries]);
  if (answer === null) return <Loading text={t('draft.evidence.loading')} />;
  if ('error' in answer) return <Failure error={answer.error} retry={() => setTries((n) => n + 1)} />;
  const missing = answer.missing ?? [];
  if (answer.items.length === 0 && missing.length === 0) return <p class="dim">{t('draft.evidence.none')}</p>;
  return (
    <ul class="evidence" data-testid="evidence">
      {answer.items.map((item) => (
        <Item key={`${item.name}${item.sha256}`} item={item} />
      ))}
      {missing.map((name) => (
        <li key={name} class="over">
          <Icon name="alert" />
          <span>{t('draft.evidence.missing', { name })}</span>
        </li>
      ))}
    </ul>
  );
}

function Item({ item }: { item: EvidenceItem }) {
  const { t } = useTexts();
  const copy = (): void => {
    navigator.clipboard
      .writeText(item.sha256)
      .then(() => say('good', t('evidence.copied')))
      // Without permission the hash can still be read from the title.
      .catch(() => undefined);
  };
  return (
    <li>
      <Icon name={item.mediaType.startsWith('image/') ? 'image' : 'file'} />
      <div>
        <a href={item.url} download={item.name} aria-label={t('evidence.download', { name: item.name })}>
          {item.name}
        </a>
        <button type="button" class="hash" title={`${t('evidence.copy')} ${item.sha256}`} onClick={copy}>
          {item.sha256.slice(0, 12)}…{item.sha256.slice(-4)}
        </button>
      </div>
      <span class="dim">{bytes(item.bytes)}</span>
    </li>
  );
}
