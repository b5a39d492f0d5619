// Lists from the API that keep themselves fresh: fetched at once, again when the live stream says so, and never
// swapped for a spinner: what was there stays until the new is in.
import { useEffect, useState } from 'preact/hooks';

import { get, wordsOf } from './api';
import { changes } from './live';

export interface Loaded<T> {
  value: T | null;
  /** The path that the value came from: another than asked for while the new one is on its way. */
  from: string | null;
  error: string | null;
  reload: () => void;
}

type Kind = keyof typeof changes.value;

/** version: of what it hangs on; fetched again when that changes. */
export function useData<T>(path: string | null, kinds: Kind[], version = ''): Loaded<T> {
  const [{ value, from }, setValue] = useState<{ value: T | null; from: string | null }>({ value: null, from: null });
  const [error, setError] = useState<string | null>(null);
  const [turn, setTurn] = useState(0);
  const stamp = kinds.map((kind) => changes.value[kind]).join('.');

  useEffect(() => {
    if (path === null) return undefined;
    let isCurrent = true;
    get<T>(path)
      .then((next) => {
        if (!isCurrent) return;
        setValue({ value: next, from: path });
        setError(null);
      })
      .catch((reason: unknown) => {
        if (isCurrent) setError(wordsOf(reason));
      });
    return () => {
      isCurrent = false;
    };
  }, [path, stamp, turn, version]);
  return { value, from, error, reload: () => setTurn((n) => n + 1) };
}
