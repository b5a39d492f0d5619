// The person's own: language, colours, password, second factor.
import { useState } from 'preact/hooks';

import { wordsOf } from '../../api';
import { patch } from '../../acts';
import { language, setLanguage, t, type Language } from '../../i18n';
import { tell } from '../../notice';
import { allThemes, me, setTheme, theme, type Theme } from '../../session';
import { ChangePassword } from '../Login';
import { roleWord } from './NewUser';
import { Totp } from './Totp';

function Screen() {
  const themes: Record<Theme, string> = {
    system: t('As the system'),
    light: t('Light'),
    dark: t('Dark'),
    contrast: t('High contrast'),
    'red-safe': t('Red, for night eyes'),
  };
  const choose = async (next: Language) => {
    setLanguage(next);
    try {
      await patch('me', { language: next });
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  return (
    <section>
      <h2>{t('Screen')}</h2>
      <div class="filters">
        <label>
          {t('Language')}
          <select value={language.value} onChange={(event) => void choose(event.currentTarget.value as Language)}>
            <option value="vi">Tiếng Việt</option>
            <option value="en">English</option>
          </select>
        </label>
        <label>
          {t('Colours')}
          <select value={theme.value} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
            {allThemes.map((name) => (
              <option key={name} value={name}>{themes[name]}</option>
            ))}
          </select>
        </label>
      </div>
    </section>
  );
}

export function Account() {
  const [isChanging, setChanging] = useState(false);
  const done = () => {
    setChanging(false);
    tell(t('The password is changed; your other sessions have ended'));
  };
  return (
    <>
      <Screen />
      <section>
        <h2>{t('Account')}</h2>
        <p>{me.value?.full_name || me.value?.name} · {me.value?.name} · {me.value && roleWord(me.value.role)}</p>
        {isChanging ? <ChangePassword onDone={done} onCancel={() => setChanging(false)} /> : (
          <button onClick={() => setChanging(true)}>{t('Change password')}</button>
        )}
      </section>
      <Totp />
    </>
  );
}
