/** All keys and signs on one sheet. */
import type { Severity } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';
import { helpOpen } from '../state/actions.ts';
import { SeverityIcon } from './icons.tsx';
import { Dialog } from './parts.tsx';

const KEYS = [
  ['J K', 'help.move'],
  ['Enter', 'help.open'],
  ['A', 'help.acknowledge'],
  ['C', 'help.confirm'],
  ['X', 'help.dismiss'],
  ['/', 'help.filter'],
  ['L', 'help.language'],
  ['T', 'help.theme'],
  ['Esc', 'help.escape'],
  ['?', 'help.help'],
] as const;
const SEVERITIES: readonly Severity[] = ['violation', 'warning', 'watch', 'info'];

export function Help() {
  const { t } = useTexts();
  const close = (): void => helpOpen.set(false);
  return (
    <Dialog title={t('help.title')} class="help" onClose={close}>
      <h3>{t('help.title')}</h3>
      <dl class="key-list">
        {KEYS.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      <h4>{t('help.severity')}</h4>
      <ul class="severity-list">
        {SEVERITIES.map((severity) => (
          <li key={severity}>
            <SeverityIcon severity={severity} />
            {t(`severity.${severity}`)}
          </li>
        ))}
      </ul>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={close}>
          {t('help.close')}
        </button>
      </div>
    </Dialog>
  );
}
