// Asks why before something changes, names what will happen, and keeps what was typed when it fails.
import { useEffect, useRef, useState } from 'preact/hooks';

import { t } from '../i18n';

interface Props {
  title: string;
  consequence: string;
  act: string;
  isDangerous?: boolean;
  onDone: (reason: string) => Promise<void>;
  onCancel: () => void;
}

export function Reason({ title, consequence, act, isDangerous = false, onDone, onCancel }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onDone(reason.normalize('NFC').trim());
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
