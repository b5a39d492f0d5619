// A search field that follows the typing, but not a composing input method: Telex and VNI stay whole. Words go on as NFC.
import { useEffect, useRef, useState } from 'preact/hooks';

import { t } from '../i18n';

interface Props {
  value: string;
  hint: string;
  onChange: (value: string) => void;
}

export function Search({ value, hint, onChange }: Props) {
  const [text, setText] = useState(value);
  const latest = useRef(onChange);
  latest.current = onChange;
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  useEffect(() => {
    if (value !== text.normalize('NFC').trim() && document.activeElement?.id !== 'search') setText(value);
  }, [value]);
  const later = (next: string) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => latest.current(next.normalize('NFC').trim()), 150);
  };
  useEffect(() => {
    const ended = () => later(field.current?.value ?? '');
    field.current?.addEventListener('compositionend', ended); // Preact knows no name for it
    return () => field.current?.removeEventListener('compositionend', ended);
  }, []);
  return (
    <label class="search">
      {t('Search')}
      <input ref={field} type="search" id="search" value={text} placeholder={hint} maxLength={60} autocomplete="off"
        onInput={(event) => {
          setText(event.currentTarget.value);
          if (!event.isComposing) later(event.currentTarget.value);
        }} />
    </label>
  );
}
