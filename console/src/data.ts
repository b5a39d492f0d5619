// Lists from the API that keep themselves fresh: fetched at once, again when the live stream says so, and never
// swapped for a spinner: what was there stays until the new is in.
import { useEffect, useState } from 'preact/hooks';

import { get, Problem } from './api';
import { changes } from './live';

export interface Loaded<T> {
  value: T | null;
  error: string | null;
  reload: () => void;
}

type Kind = keyof typeof changes.value;

export function useData<T>(path: string | null, kinds: Kind[]): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [turn, setTurn] = useState(0);
  const stamp = kinds.map((kind) => changes.value[kind]).join('.');

  useEffect(() => {
    if (path === null) return undefined;
    let isCurrent = true;
    get<T>(path)
      .then((next) => {
        if (!isCurrent) return;
        setValue(next);
        setError(null);
      })
      .catch((reason: unknown) => {
        if (isCurrent) setError(reason instanceof Problem ? reason.message : String(reason));
      });
    return () => {
      isCurrent = false;
    };
  }, [path, stamp, turn]);
  return { value, error, reload: () => setTurn((n) => n + 1) };
}
