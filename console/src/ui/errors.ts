/** A failure in the officer's words; the product's own message follows where it says more. */
import { ApiError } from '../api/client.ts';
import { currentTexts } from '../i18n/index.ts';

export function failureText(error: unknown): string {
  const { word, t } = currentTexts();
  if (!(error instanceof ApiError)) return t('error.unknown', { code: String(error) });
  const known = word('error', error.code);
  return known === error.code ? t('error.unknown', { code: error.code }) : known;
}
