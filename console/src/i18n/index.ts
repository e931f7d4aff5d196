/** The two languages: Chinese first, English complete, one switch; the choice is remembered. */
import type { BiText } from '../../../contracts/index.ts';
import { createStore, useStore } from '../state/store.ts';
import { en } from './en.ts';
import { type TextKey, zh } from './zh.ts';

export type { TextKey } from './zh.ts';
export type Language = 'zh' | 'en';
export type Values = Record<string, string | number>;

const dictionaries: Record<Language, Record<TextKey, string>> = { zh, en };

const remembered = (): Language => {
  try {
    return localStorage.getItem('ql.language') === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh';
  }
};

export const language = createStore<Language>(typeof localStorage === 'undefined' ? 'zh' : remembered());

export function toggleLanguage(): void {
  const next: Language = language.get() === 'zh' ? 'en' : 'zh';
  try {
    localStorage.setItem('ql.language', next);
  } catch {
    // Not remembered then; it still holds until the page is closed.
  }
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
  language.set(next);
}

/** Fills `{name}` in a text. */
export function fill(text: string, values: Values = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export interface Texts {
  language: Language;
  t: (key: TextKey, values?: Values) => string;
  /** The text of an open word (a class, a reason, an error code): the word itself where the dictionary has none. */
  word: (prefix: string, word: string) => string;
  /** The side of a bilingual text. */
  bi: (text: BiText) => string;
}

const textsOf = (lang: Language): Texts => {
  const dictionary = dictionaries[lang];
  return {
    language: lang,
    t: (key, values) => fill(dictionary[key], values),
    word: (prefix, word) => (dictionary as Record<string, string>)[`${prefix}.${word}`] ?? word,
    bi: (text) => (lang === 'zh' ? text.zh || text.en : text.en || text.zh),
  };
};

const texts: Record<Language, Texts> = { zh: textsOf('zh'), en: textsOf('en') };

/** The texts of the present language, outside of components. */
export const currentTexts = (): Texts => texts[language.get()];
/** The texts of the present language; the component is drawn again when the language changes. */
export const useTexts = (): Texts => texts[useStore(language)];
