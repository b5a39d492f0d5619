// Asks why before something changes, names what will happen, and keeps what was typed when it fails.
import { useState } from 'preact/hooks';

import { wordsOf } from '../api';
import { t } from '../i18n';
import { Dialog } from './Dialog';

export interface Ask {
  title: string;
  consequence: string;
  /** How it can be taken back. */
  remedy?: string;
  act: string;
  isDangerous?: boolean;
  /** Pairs of value and words: what it was in truth. Left out: not asked. */
  verdicts?: [string, string][];
  /** What the choice is called; left out: what it was. */
  choice?: string;
  onDone: (reason: string, verdict: string) => Promise<void>;
}

export function Reason({ ask, onCancel }: { ask: Ask; onCancel: () => void }) {
  const verdicts = ask.verdicts ?? [];
  const [reason, setReason] = useState('');
  const [verdict, setVerdict] = useState(verdicts[0]?.[0] ?? '');
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await ask.onDone(reason.normalize('NFC').trim(), verdict);
    } catch (problem) {
      setError(wordsOf(problem));
      setBusy(false);
    }
  };
  return (
    <Dialog title={ask.title} onCancel={onCancel}>
      <form onSubmit={submit}>
        <p>{ask.consequence}</p>
        {ask.remedy && <p class="quiet">{ask.remedy}</p>}
        {verdicts.length > 0 && (
          <label>
            {ask.choice ?? t('What was it?')}
            <select value={verdict} onChange={(event) => setVerdict(event.currentTarget.value)}>
              {verdicts.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
            </select>
          </label>
        )}
        <label>
          {t('Reason')}
          <textarea rows={3} required minLength={3} maxLength={500} value={reason} autofocus
            onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {error && <p role="alert" class="error">{error}</p>}
        <div class="acts">
          <button class={ask.isDangerous ? 'danger' : 'primary'} disabled={isBusy}>{ask.act}</button>
          <button type="button" onClick={onCancel}>{t('Cancel')}</button>
        </div>
      </form>
    </Dialog>
  );
}
