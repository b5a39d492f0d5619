// Who is logged in, and how they like the screen.
import { signal } from '@preact/signals';

import { get, onLoggedOut, post, type Me, type Role } from './api';
import { setLanguage } from './i18n';
import { startLive, stopLive } from './live';

export const me = signal<Me | null | undefined>(undefined); // undefined: not known yet

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

export function enter(who: Me): void {
  me.value = who;
  setLanguage(who.language);
  if (!who.must_change_password) startLive();
}

function leave(): void {
  stopLive();
  me.value = null;
}

export async function begin(): Promise<void> {
  setTheme(theme.value);
  onLoggedOut(leave);
  try {
    enter(await get<Me>('me'));
  } catch {
    me.value = null;
  }
}

export async function logOut(): Promise<void> {
  await post('logout');
  leave();
}

const ranks: Record<Role, number> = { viewer: 0, duty: 1, admin: 2 };
export const may = (role: Role): boolean => me.value != null && ranks[me.value.role] >= ranks[role];
