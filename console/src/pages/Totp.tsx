// A second factor from a phone (RFC 6238): shown as text, since the policy of the page lets no picture in from outside.
import { useState } from 'preact/hooks';

import { call, get, post, type Me } from '../api';
import { t } from '../i18n';
import { me } from '../session';

export function Totp() {
  const [secret, setSecret] = useState('');
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState('');
  const isOn = me.value?.totp === true;

  const attempt = async (step: () => Promise<void>) => {
    try {
      await step();
      setError('');
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
  };
  const finish = async () => {
    me.value = await get<Me>('me');
    setSecret('');
    setCode('');
    setPassword('');
  };
  const begin = () => attempt(async () => setSecret((await post<{ secret: string }>('me/totp/secret')).secret));
  const confirm = (event: Event) => {
    event.preventDefault();
    void attempt(async () => {
      await post('me/totp', { secret, code, password });
      await finish();
    });
  };
  const drop = (event: Event) => {
    event.preventDefault();
    void attempt(async () => {
      await call('DELETE', 'me/totp', { password });
      await finish();
    });
  };
  return (
    <div class="totp">
      {error && <p role="alert" class="error">{error}</p>}
      {isOn && (
        <form class="filters" onSubmit={drop}>
          <p>{t('A code of your phone is asked at each log-in.')}</p>
          <label>
            {t('Password')}
            <input type="password" required autocomplete="current-password" value={password}
              onInput={(event) => setPassword(event.currentTarget.value)} />
          </label>
          <button>{t('No longer ask for a code')}</button>
        </form>
      )}
      {!isOn && !secret && <button onClick={() => void begin()}>{t('Ask for a code of my phone too')}</button>}
      {!isOn && secret && (
        <form class="filters" onSubmit={confirm}>
          <p>{t('Type this key into your authenticator app, then the code it shows:')} <code class="copy">{secret}</code></p>
          <label>
            {t('Code')}
            <input required inputMode="numeric" pattern="[0-9]{6}" value={code} onInput={(event) => setCode(event.currentTarget.value)} />
          </label>
          <label>
            {t('Password')}
            <input type="password" required autocomplete="current-password" value={password}
              onInput={(event) => setPassword(event.currentTarget.value)} />
          </label>
          <button class="primary">{t('Confirm')}</button>
        </form>
      )}
    </div>
  );
}
