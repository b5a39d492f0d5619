// Log in, and choose an own password when the first one was handed over.
import { useState } from 'preact/hooks';

import { post, wordsOf, type Me } from '../api';
import { language, setLanguage, t } from '../i18n';
import { enter, logOut, typed } from '../session';

function useForm(submit: () => Promise<void>) {
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError('');
    try {
      await submit();
    } catch (problem) {
      setError(wordsOf(problem));
    }
    setBusy(false);
  };
  return { error, isBusy, onSubmit };
}

export function Login() {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const { error, isBusy, onSubmit } = useForm(async () => {
    const who = await post<Me>('login', { user: name.normalize('NFC'), password, code: code || undefined });
    if (who.must_change_password) typed.value = password;
    enter(who);
  });
  return (
    <main class="gate">
      <form onSubmit={onSubmit} class="panel">
        <h1>Canh Gác</h1>
        <label>
          {t('User name')}
          <input name="name" autocomplete="username" required autofocus value={name}
            onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label>
          {t('Password')}
          <input name="password" type="password" autocomplete="current-password" required value={password}
            onInput={(event) => setPassword(event.currentTarget.value)} />
        </label>
        <label>
          {t('Code of your phone, if you use one')}
          <input name="totp" inputMode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" value={code}
            onInput={(event) => setCode(event.currentTarget.value)} />
        </label>
        {error && <p role="alert" class="error">{error}</p>}
        <button class="primary" disabled={isBusy}>{isBusy ? t('Checking…') : t('Log in')}</button>
        <button type="button" class="plain" onClick={() => setLanguage(language.value === 'vi' ? 'en' : 'vi')}>
          {language.value === 'vi' ? 'English' : 'Tiếng Việt'}
        </button>
      </form>
    </main>
  );
}

/** is_first: nothing else may be done before. */
export function ChangePassword({ isFirst = false, onDone, onCancel }: { isFirst?: boolean; onDone: () => void; onCancel?: () => void }) {
  const [old, setOld] = useState(isFirst ? typed.value : '');
  const [isKnown] = useState(old !== '');
  const [fresh, setFresh] = useState('');
  const [again, setAgain] = useState('');
  const { error, isBusy, onSubmit } = useForm(async () => {
    // said by us: the browser's own bubble speaks the browser's language
    if ([...fresh].length < 12) throw new Error(t('The new password needs 12 characters or more'));
    if (fresh !== again) throw new Error(t('The two new passwords differ'));
    await post('me/password', { old, new: fresh });
    onDone();
  });
  const form = (
    <form onSubmit={onSubmit} class="panel">
      <h2>{isFirst ? t('Choose your own password') : t('Change password')}</h2>
      {isFirst && <p>{t('The one you were given works only once.')}</p>}
      {!isKnown && (
        <label>
          {t('Present password')}
          <input type="password" autocomplete="current-password" required value={old}
            onInput={(event) => setOld(event.currentTarget.value)} />
        </label>
      )}
      <label>
        {t('New password, 12 characters or more')}
        <input type="password" autocomplete="new-password" required value={fresh}
          onInput={(event) => setFresh(event.currentTarget.value)} />
      </label>
      <label>
        {t('Once more')}
        <input type="password" autocomplete="new-password" required value={again}
          onInput={(event) => setAgain(event.currentTarget.value)} />
      </label>
      {error && <p role="alert" class="error">{error}</p>}
      <div class="acts">
        <button class="primary" disabled={isBusy}>{t('Save')}</button>
        {isFirst && <button type="button" onClick={() => void logOut()}>{t('Log out')}</button>}
        {onCancel && <button type="button" onClick={onCancel}>{t('Cancel')}</button>}
      </div>
    </form>
  );
  return isFirst ? <main class="gate">{form}</main> : form;
}
