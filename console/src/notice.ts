// What was just done, and the ten seconds in which it can be taken back. Neighbour: components/Notices.tsx.
import { signal } from '@preact/signals';

export interface Notice {
  id: number;
  text: string;
  isError: boolean;
  until: number; // ms since 1970
  undo?: { label: string; run: () => Promise<unknown> };
}

const life = 12_000;
let next = 1;
export const notices = signal<Notice[]>([]);

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** most: ms until it goes. */
export function tell(text: string, undo?: Notice['undo'], isError = false, most = life): void {
  const notice = { id: next++, text, isError, until: Date.now() + most, undo };
  notices.value = [...notices.value.slice(-2), notice];
  window.setTimeout(() => dismiss(notice.id), most);
}
