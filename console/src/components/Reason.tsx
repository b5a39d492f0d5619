// Asks why before something changes, names what will happen, and keeps what was typed when it fails.
import { useEffect, useRef, useState } from 'preact/hooks';

import { t } from '../i18n';

interface Props {
  title: string;
  consequence: string;
  act: string;
  isDangerous?: boolean;
  /** Pairs of value and words: what it was in truth. Empty: not asked. */
  verdicts?: [string, string][];
  onDone: (reason: string, verdict: string) => Promise<void>;
  onCancel: () => void;
}

export function Reason({ title, consequence, act, isDangerous = false, verdicts = [], onDone, onCancel }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [verdict, setVerdict] = useState(verdicts[0]?.[0] ?? '');
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onDone(reason.normalize('NFC').trim(), verdict);
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} onCancel={onCancel} aria-labelledby="reason-title">
      <form onSubmit={submit}>
        <h2 id="reason-title">{title}</h2>
        <p>{consequence}</p>
        {verdicts.length > 0 && (
          <label>
            {t('What was it?')}
            <select value={verdict} onChange={(event) => setVerdict(event.currentTarget.value)}>
              {verdicts.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
            </select>
          </label>
        )}
        <label>
          {t('Reason')}
          <textarea rows={3} required minLength={3} maxLength={500} value={reason}
            onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {error && <p role="alert" class="error">{error}</p>}
        <div class="acts">
          <button type="button" onClick={onCancel}>{t('Cancel')}</button>
          <button class={isDangerous ? 'danger' : 'primary'} disabled={isBusy}>{act}</button>
        </div>
      </form>
    </dialog>
  );
}
