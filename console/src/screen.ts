// How much room there is.
import { signal } from '@preact/signals';

const narrow = window.matchMedia('screen and (max-width: 820px)');
export const isNarrow = signal(narrow.matches);
narrow.addEventListener('change', () => {
  isNarrow.value = narrow.matches;
});

export const height = signal(window.innerHeight);
window.addEventListener('resize', () => {
  height.value = window.innerHeight;
});

/** A finger has no hovering pointer to tell what it is about to touch. */
export const isTouch = window.matchMedia('(hover: none)').matches;
