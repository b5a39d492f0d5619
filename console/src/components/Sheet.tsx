// A panel over the list it belongs to: Escape closes it, focus goes in and comes back.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { t } from '../i18n';
import { addKeys } from '../keys';
import { me } from '../session';
import { fullTime } from '../time';

interface Props {
  title: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
  isDrill?: boolean;
}

export function Sheet({ title, onClose, children, isDrill = false }: Props) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus();
    const removeKeys = addKeys([{ key: 'Escape', what: t('Close'), run: onClose }]);
    return () => {
      removeKeys();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside class={isDrill ? 'sheet drill' : 'sheet'} tabIndex={-1} ref={panel} aria-labelledby="sheet-title">
      <p class="print-only letterhead">
        {me.value?.centre || 'Canh Gác'} · {t('printed {0} by {1}', fullTime(new Date().toISOString()), me.value?.name ?? '')}
      </p>
      <header>
        <h2 id="sheet-title">{title}</h2>
        <button class="plain screen-only" onClick={() => window.print()}>{t('Print')}</button>
        <button class="plain screen-only" onClick={onClose} aria-label={t('Close')}>✕</button>
      </header>
      {isDrill && <p class="drill-word">{t('Drill: staged on purpose, no real attack.')}</p>}
      {children}
    </aside>
  );
}
