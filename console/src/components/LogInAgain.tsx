// The session has ended in mid-work: the same person logs in over the page, which stays as it is.
import { useState } from 'preact/hooks';

import { post, wordsOf, type Me } from '../api';
import { t } from '../i18n';
import { enter, leave, me } from '../session';
import { Dialog } from './Dialog';

export function LogInAgain() {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const who = me.value!;

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      enter(await post<Me>('login', { user: who.name, password, code: code || undefined }));
    } catch (problem) {
      setError(wordsOf(problem));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('Your session has ended')}>
      <form onSubmit={submit}>
        <p>{t('What you typed is still here. Log in again as {0} to go on.', who.name)}</p>
        <label>
          {t('Password')}
          <input type="password" autocomplete="current-password" required autofocus value={password}
            onInput={(event) => setPassword(event.currentTarget.value)} />
        </label>
        {who.totp && (
          <label>
            {t('Code of your phone')}
            <input inputMode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" required value={code}
              onInput={(event) => setCode(event.currentTarget.value)} />
          </label>
        )}
        {error && <p role="alert" class="error">{error}</p>}
        <div class="acts">
          <button class="primary" disabled={isBusy}>{t('Log in')}</button>
          <button type="button" onClick={leave}>{t('Log in as somebody else')}</button>
        </div>
      </form>
    </Dialog>
  );
}
