// Single keys for single acts. Off while an input method composes, while somebody types, and with modifiers.
import { signal } from '@preact/signals';

export interface Key {
  key: string;
  what: string;
  run: () => void;
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
  target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable);

document.addEventListener('keydown', (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target) && event.key !== 'Escape') return;
  const hit = [...layers.value].reverse().flat().find((key) => key.key === event.key);
  if (!hit) return;
  event.preventDefault();
  hit.run();
});
