// Single keys for single acts. Off while an input method composes, while somebody types, with modifiers, and behind a
// dialog, where a slip would act on what cannot be seen.
import { signal } from '@preact/signals';

export interface Key {
  key: string;
  what: string;
  /** false: not mine, ask the one below. */
  run: () => boolean | void;
}

const layers = signal<Key[][]>([]);
export const allKeys = (): Key[] => layers.value.flat();

/** Adds keys while something is on the screen; returns how to take them away. */
export function addKeys(keys: Key[]): () => void {
  layers.value = [...layers.value, keys];
  return () => {
    layers.value = layers.value.filter((layer) => layer !== keys);
  };
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.matches('input:not([type=checkbox]), textarea, select') || target.isContentEditable);
const composing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;

document.addEventListener('keydown', (event) => {
  if (composing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector('dialog[open]')) return; // Escape is the browser's there
  if (typing(event.target) && event.key !== 'Escape') return;
  const hits = [...layers.value].reverse().flat().filter((key) => key.key === event.key);
  if (hits.length === 0) return;
  event.preventDefault();
  hits.some((key) => key.run() !== false);
});
