// A list that does not move under the pointer: while somebody points at it or is in it with the keyboard, known rows
// change in place, gone rows stay, and new ones wait behind a bar until they are asked for.
import { useRef, useState } from 'preact/hooks';

import { isTouch } from './screen';

export interface Steady<T> {
  rows: T[];
  waiting: T[];
  /** No longer of this list, and shown until nobody is in it. */
  gone: Set<number>;
  /** Put on the element around the rows. */
  hold: {
    onPointerEnter: () => void;
    onPointerLeave: () => void;
    onFocusIn: () => void;
    onFocusOut: (event: FocusEvent) => void;
  };
  take: () => void;
}

export function useSteady<T>(fresh: T[], idOf: (row: T) => number, view: string): Steady<T> {
  const [, again] = useState(0);
  const held = useRef({ pointer: false, focus: false });
  const kept = useRef<{ view: string; rows: T[] }>({ view: '', rows: [] });
  const isHeld = isTouch || held.current.pointer || held.current.focus;
  let waiting: T[] = [];
  let gone = new Set<number>();

  if (kept.current.view !== view || kept.current.rows.length === 0 || !isHeld) {
    kept.current = { view, rows: fresh };
  } else {
    const now = new Map(fresh.map((row) => [idOf(row), row]));
    const known = new Set(kept.current.rows.map(idOf));
    const newest = Math.max(...known);
    kept.current.rows = kept.current.rows.map((row) => now.get(idOf(row)) ?? row);
    gone = new Set([...known].filter((id) => !now.has(id)));
    waiting = fresh.filter((row) => !known.has(idOf(row)) && idOf(row) > newest);
    kept.current.rows = [...kept.current.rows, ...fresh.filter((row) => !known.has(idOf(row)) && idOf(row) < newest)];
  }
  const set = (which: 'pointer' | 'focus', is: boolean) => {
    held.current[which] = is;
    if (!is) again((n) => n + 1);
  };
  return {
    rows: kept.current.rows,
    waiting,
    gone,
    hold: {
      onPointerEnter: () => set('pointer', true),
      onPointerLeave: () => set('pointer', false),
      onFocusIn: () => set('focus', true),
      onFocusOut: (event) => {
        if (!(event.currentTarget as Element).contains(event.relatedTarget as Node | null)) set('focus', false);
      },
    },
    take: () => {
      kept.current = { view, rows: fresh };
      again((n) => n + 1);
    },
  };
}
