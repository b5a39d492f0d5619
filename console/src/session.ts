// Who is logged in, and how they like the screen. A session that ends in mid-work leaves the page as it is and asks for
// the password over it (components/LogInAgain.tsx): nothing that was typed is lost.
import { signal } from '@preact/signals';

import { get, onLoggedOut, post, type Me, type Role } from './api';
import { language, setLanguage } from './i18n';
import { startLive, stopLive } from './live';

export const me = signal<Me | null | undefined>(undefined); // undefined: not known yet
export const hasEnded = signal(false); // the session of `me`, while the page still stands

const themes = ['system', 'light', 'dark', 'contrast', 'red-safe'] as const;
export type Theme = (typeof themes)[number];
export const theme = signal<Theme>((localStorage.getItem('theme') as Theme | null) ?? 'system');
export const allThemes: readonly Theme[] = themes;

export function setTheme(next: Theme): void {
  theme.value = next;
  localStorage.setItem('theme', next);
  if (next === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = next;
}

/** What was typed at a log-in that asks for another password, so that it is not asked for twice; kept nowhere else. */
export const typed = signal('');

export function enter(who: Me): void {
  me.value = who;
  hasEnded.value = false;
  setLanguage(who.language);
  if (who.must_change_password) return;
  typed.value = '';
  startLive();
}

export function leave(): void {
  stopLive();
  typed.value = '';
  hasEnded.value = false;
  me.value = null;
}

function whenEnded(): void {
  if (!me.value) return;
  stopLive();
  hasEnded.value = true;
}

export async function begin(): Promise<void> {
  setTheme(theme.value);
  setLanguage(language.value);
  onLoggedOut(whenEnded);
  try {
    enter(await get<Me>('me'));
  } catch {
    me.value = null;
  }
}

export async function logOut(): Promise<void> {
  try {
    await post('logout');
  } finally {
    leave();
  }
}

const ranks: Record<Role, number> = { viewer: 0, duty: 1, admin: 2 };
export const may = (role: Role): boolean => me.value != null && ranks[me.value.role] >= ranks[role];
