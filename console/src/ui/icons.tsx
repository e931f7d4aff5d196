/** The console's signs: 16 × 16, drawn with the text's colour. Severity has a shape besides its colour. */
import type { FindingKind, Severity } from '../../../contracts/index.ts';
import { useTexts } from '../i18n/index.ts';

const PATHS = {
  'limit-exceeded': 'M2 6.5h12M3.5 13.5l3-4.5 2.5 2 4-8M10.5 3H13v2.5',
  'early-warning': 'M8 4.5V8l2.5 1.5M8 1.8a6.2 6.2 0 1 0 6.2 6.2M11 2l3 .3-.4 3',
  anomaly: 'M1.5 9h3l1.5-6 3 10.5L10.5 9h4',
  falsification: 'M2 5.5h12M2 10.5h12M11.5 2l-7 12',
  'device-silent':
    'M2 2l12 12M5 5.5a4.5 4.5 0 0 0 0 5M11.5 10a4.5 4.5 0 0 0-.5-4.5M2.8 3.8a7 7 0 0 0 0 8.4M13.5 12a7 7 0 0 0-.3-8.2',
  'device-fault': 'M9.5 6.5l-7 7M9 3.5a3.5 3.5 0 0 1 4.3-1l-2 2 .7 1.5 1.5.7 2-2a3.5 3.5 0 0 1-4.5 4.3',
  image: 'M1.8 5h2.7l1.2-1.8h4.6L11.5 5h2.7v8H1.8zM8 11a2.3 2.3 0 1 0 0-4.6A2.3 2.3 0 0 0 8 11z',
  combined: 'M6.5 9.5l3-3M7 4.5l1.3-1.3a3 3 0 0 1 4.4 4.3L11.4 8.8M9 11.5l-1.3 1.3a3 3 0 0 1-4.4-4.3l1.3-1.3',
  check: 'M2.5 8.5l3.5 3.5 7.5-8',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  alert: 'M8 2l6.5 11.5h-13zM8 6.5v3.2M8 11.7v.1',
  person: 'M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8zM2.5 14c.5-3 2.7-4.5 5.5-4.5s5 1.5 5.5 4.5',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7L14.2 14.2',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M13 3l-1.1 1.1M4.1 11.9L3 13',
  moon: 'M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z',
  help: 'M5.8 6.2A2.2 2.2 0 1 1 8 8.5v1.3M8 12.2v.1M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z',
  exit: 'M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6',
  download: 'M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11',
  copy: 'M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3',
  back: 'M9.5 3L4.5 8l5 5',
  pin: 'M8 14.5S3 9.8 3 6.3a5 5 0 0 1 10 0c0 3.5-5 8.2-5 8.2zM8 8a1.8 1.8 0 1 0 0-3.6A1.8 1.8 0 0 0 8 8z',
  send: 'M14 2L7 9M14 2L9.5 14 7 9 2 6.5z',
  file: 'M4 1.8h5l3 3v9.4H4zM9 1.8v3h3',
  clock: 'M8 4.5V8l2.5 1.5M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4z',
  open: 'M9.5 2.5h4v4M13.5 2.5L8 8M11.5 9.5v4h-9v-9h4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

export const KindIcon = ({ kind }: { kind: FindingKind }) => <Icon name={kind} />;

/** Violation: octagon with a bar; warning: triangle; watch: diamond; info: ring. */
const SHAPES: Record<Severity, string> = {
  violation: 'M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2L1.5 10.8V5.2z',
  warning: 'M8 1.5l7 12.5H1z',
  watch: 'M8 1.3L14.7 8 8 14.7 1.3 8z',
  info: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z',
};
const MARKS: Record<Severity, string> = {
  violation: 'M8 4.2v4.6M8 11.2v.6',
  warning: 'M8 5.8v3.6M8 11.5v.5',
  watch: 'M8 5v3.5M8 10.5v.5',
  info: 'M8 7.3v3.5M8 5v.4',
};

export function SeverityIcon({ severity }: { severity: Severity }) {
  const { t } = useTexts();
  return (
    <svg
      class={`severity-icon ${severity}`}
      viewBox="0 0 16 16"
      role="img"
      aria-label={t(`severity.${severity}`)}
    >
      <path class="shape" d={SHAPES[severity]} />
      <path class="mark" d={MARKS[severity]} />
    </svg>
  );
}
