// A second factor from a phone (RFC 6238). The key is shown as a picture to point the phone at and as text to type.
import { useState } from 'preact/hooks';

import { call, get, post, wordsOf, type Me } from '../../api';
import { QrCode } from '../../components/QrCode';
import { t } from '../../i18n';
import { tell } from '../../notice';
import { me } from '../../session';

interface Secret {
  secret: string;
  uri: string;
}

const spaced = (secret: string): string => secret.replace(/(.{4})(?=.)/g, '$1 ');

export function Totp() {
  const [made, setMade] = useState<Secret | null>(null);
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState('');
  const isOn = me.value?.totp === true;

  const attempt = async (step: () => Promise<void>) => {
    try {
      await step();
      setError('');
    } catch (problem) {
      setError(wordsOf(problem));
    }
  };
  const finish = async (words: string) => {
    me.value = await get<Me>('me');
    setMade(null);
    setCode('');
    setPassword('');
    tell(words);
  };
  const begin = () => attempt(async () => setMade(await post<Secret>('me/totp/secret')));
  const confirm = (event: Event) => {
    event.preventDefault();
    void attempt(async () => {
      await post('me/totp', { secret: made?.secret, code, password });
      await finish(t('A code of your phone is asked from now on'));
    });
  };
  const drop = (event: Event) => {
    event.preventDefault();
    void attempt(async () => {
      await call('DELETE', 'me/totp', { password });
      await finish(t('No code is asked any more'));
    });
  };
  const ownPassword = (
    <label>
      {t('Your password')}
      <input type="password" required autocomplete="current-password" value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
    </label>
  );
  return (
    <section>
      <h2>{t('Code of your phone')}</h2>
      {isOn && (
        <form class="filters" onSubmit={drop}>
          <p>{t('A code of your phone is asked at each log-in.')}</p>
          {ownPassword}
          <button class="danger">{t('No longer ask for a code')}</button>
        </form>
      )}
      {!isOn && !made && <p>{t('Only your password is asked. Whoever learns it can log in.')}</p>}
      {!isOn && !made && <button onClick={() => void begin()}>{t('Ask for a code of my phone too')}</button>}
      {!isOn && made && (
        <form class="totp" onSubmit={confirm}>
          <p>{t('Point your authenticator app at the picture, or type this key into it:')} <code class="copy secret">{spaced(made.secret)}</code></p>
          <QrCode text={made.uri} label={t('The key as a picture for your phone')} />
          <div class="filters">
            <label>
              {t('The six digits it shows')}
              <input required inputMode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" value={code} onInput={(event) => setCode(event.currentTarget.value)} />
            </label>
            {ownPassword}
            <button class="primary">{t('Confirm')}</button>
            <button type="button" onClick={() => setMade(null)}>{t('Cancel')}</button>
          </div>
        </form>
      )}
      {error && <p role="alert" class="error">{error}</p>}
    </section>
  );
}
