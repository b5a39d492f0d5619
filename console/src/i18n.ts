// The user's words: English in the source, Vietnamese from po/vi.po. t() follows the language chosen.
import { signal } from '@preact/signals';

import vietnamese from 'catalogue:vi';

export type Language = 'vi' | 'en';

const stored = localStorage.getItem('language');
export const language = signal<Language>(stored === 'en' ? 'en' : 'vi');

export function setLanguage(next: Language): void {
  language.value = next;
  localStorage.setItem('language', next);
  document.documentElement.lang = next;
}

/** The sentence in the reader's language; {0}, {1} … are replaced by values. */
export function t(sentence: string, ...values: (string | number)[]): string {
  const text = language.value === 'vi' ? (vietnamese[sentence] ?? sentence) : sentence;
  return values.reduce<string>((out, value, i) => out.replaceAll(`{${i}}`, String(value)), text);
}

/** For comparing and searching: NFC, without dấu, đ as d, lower case. */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/[đĐ]/g, 'd').toLowerCase();
}

const numbers = { vi: new Intl.NumberFormat('vi-VN'), en: new Intl.NumberFormat('en-GB') };
export const number = (value: number): string => numbers[language.value].format(value);

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${number(Math.round(value * 10) / 10)} ${units[unit]}`;
}
