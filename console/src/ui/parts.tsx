/** Small pieces that every panel is made of. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ApiError } from '../api/client.ts';
import { useTexts } from '../i18n/index.ts';
import { fullTime, machineTime } from '../text/format.ts';
import { failureText } from './errors.ts';
import { Icon } from './icons.tsx';

/** A titled region. */
export function Panel(props: {
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`panel ${props.class ?? ''}`} aria-label={props.title}>
      <header class="panel-head">
        <h3>{props.title}</h3>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

/** A moment: as short as the place allows, with the whole time and zone as its title. */
export const Time = ({ at, children }: { at: number; children: ComponentChildren }) => (
  <time dateTime={machineTime(at)} title={fullTime(at)}>
    {children}
  </time>
);

export const Loading = ({ text }: { text: string }) => (
  <div class="note loading" role="status">
    <span class="spinner" aria-hidden="true" />
    {text}
  </div>
);

export function Failure({ error, retry }: { error: ApiError; retry?: () => void }) {
  const { t } = useTexts();
  return (
    <div class="note failure" role="alert">
      <Icon name="alert" />
      <span>{failureText(error)}</span>
      {retry !== undefined && (
        <button type="button" class="button small" onClick={retry}>
          {t('error.retry')}
        </button>
      )}
    </div>
  );
}

/** A modal dialog on the browser's own `<dialog>`: it keeps the focus inside and gives it back. */
export function Dialog(props: {
  title: string;
  class?: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return;
    // Escape is the browser's; a press beside the dialog closes it too.
    const beside = (event: MouseEvent): void => {
      if (event.target === dialog) dialog.close();
    };
    dialog.addEventListener('click', beside);
    dialog.showModal();
    return () => dialog.removeEventListener('click', beside);
  }, []);
  return (
    <dialog ref={ref} class={`dialog ${props.class ?? ''}`} aria-label={props.title} onClose={props.onClose}>
      <div class="dialog-body">{props.children}</div>
    </dialog>
  );
}

/** Rows of term and value; rows without a value are left out. */
export function Facts({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([term, value]) =>
        value === null || value === undefined || value === false ? null : (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
