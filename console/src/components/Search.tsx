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
  const isComposing = useRef(false);
  const timer = useRef(0);
  useEffect(() => {
    if (value !== text.normalize('NFC').trim() && document.activeElement?.id !== 'search') setText(value);
  }, [value]);
  const later = (next: string) => {
    window.clearTimeout(timer.current);
    if (!isComposing.current) timer.current = window.setTimeout(() => onChange(next.normalize('NFC').trim()), 150);
  };
  return (
    <label class="search">
      {t('Search')}
      <input type="search" id="search" value={text} placeholder={hint} maxLength={60} autocomplete="off"
        onCompositionStart={() => { isComposing.current = true; }}
        onCompositionEnd={(event) => {
          isComposing.current = false;
          later(event.currentTarget.value);
        }}
        onInput={(event) => {
          setText(event.currentTarget.value);
          later(event.currentTarget.value);
        }} />
    </label>
  );
}
