// A window over everything, the browser's own: it keeps the focus in and gives it back.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  title: string;
  onCancel?: () => void;
  children: ComponentChildren;
}

let count = 0;

export function Dialog({ title, onCancel, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useRef(`dialog-${++count}`);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault(); // the page decides whether it goes
    onCancel?.();
  };
  return (
    <dialog ref={dialog} onCancel={cancel} aria-labelledby={id.current}>
      <h2 id={id.current}>{title}</h2>
      {children}
    </dialog>
  );
}
