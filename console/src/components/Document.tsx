// A rule or filter of one's own as it was written down: to be read, and to be taken elsewhere.
import { useState } from 'preact/hooks';

import { get, wordsOf } from '../api';
import { t } from '../i18n';
import { tell } from '../notice';
import type { Written } from '../rules';

export function Document({ id }: { id: string }) {
  const [text, setText] = useState<string | null>(null);
  const open = async () => {
    if (text !== null) return;
    try {
      setText((await get<Written>(`documents/${encodeURIComponent(id)}`)).text);
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  const copy = async () => {
    await navigator.clipboard.writeText(text ?? '');
    tell(t('Copied'));
  };
  return (
    <details class="written" onToggle={(event) => event.currentTarget.open && void open()}>
      <summary>{t('As Sigma (YAML)')}</summary>
      {text !== null && (
        <>
          <pre class="copy" tabIndex={0}>{text}</pre>
          <button onClick={() => void copy()}>{t('Copy')}</button>
        </>
      )}
    </details>
  );
}
