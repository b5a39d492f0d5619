// Cài đặt: own account and screen for everybody; users, tokens and the audit log for administrators.
import { useState } from 'preact/hooks';

import { call, post, type Page, type Role } from '../api';
import { Time } from '../components/Time';
import { useData } from '../data';
import { language, setLanguage, t, type Language } from '../i18n';
import { allThemes, may, me, setTheme, theme, type Theme } from '../session';
import { ChangePassword } from './Login';
import { Totp } from './Totp';

interface User {
  name: string;
  full_name: string;
  role: Role;
  disabled: boolean;
  totp: boolean;
  last_login: string | null;
}

interface Token {
  number: number;
  note: string;
  created_by: string;
  expires: string;
  used: string | null;
}

interface Audit {
  number: number;
  time: string;
  actor: string;
  act: string;
  object: string;
}

const roleWords = (): Record<Role, string> => ({ viewer: t('Viewer'), duty: t('Duty'), admin: t('Administrator') });

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
    await call('PATCH', 'me', { language: next });
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

function Account() {
  const [isChanging, setChanging] = useState(false);
  return (
    <section>
      <h2>{t('Account')}</h2>
      <p>{me.value?.name} · {me.value && roleWords()[me.value.role]}</p>
      {isChanging ? <ChangePassword onDone={() => setChanging(false)} /> : (
        <button onClick={() => setChanging(true)}>{t('Change password')}</button>
      )}
      <Totp />
    </section>
  );
}

function Tokens() {
  const { value, reload } = useData<Page<Token>>('tokens', ['hosts']);
  const [note, setNote] = useState('');
  const [made, setMade] = useState('');
  const make = async (event: Event) => {
    event.preventDefault();
    setMade((await post<{ token: string }>('tokens', { note: note.normalize('NFC') })).token);
    setNote('');
    reload();
  };
  return (
    <section>
      <h2>{t('Tokens')}</h2>
      <p>{t('A token lets one host enrol, once, within an hour.')}</p>
      <form class="filters" onSubmit={make}>
        <label>
          {t('For which host')}
          <input required maxLength={100} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
        <button class="primary">{t('Make a token')}</button>
      </form>
      {made && (
        <p role="status">
          {t('On that host, as root:')} <code class="copy">canhgac agent enrol {location.host} {made}</code>
        </p>
      )}
      {value && value.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('For which host')}</th>
              <th scope="col">{t('Made by')}</th>
              <th scope="col" class="number">{t('Expires')}</th>
              <th scope="col" class="number">{t('Used')}</th>
            </tr>
          </thead>
          <tbody>
            {value.items.map((token) => (
              <tr key={token.number}>
                <td>{token.note}</td>
                <td>{token.created_by}</td>
                <td class="number"><Time when={token.expires} /></td>
                <td class="number"><Time when={token.used} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function NewUser({ onDone }: { onDone: (password: string) => void }) {
  const [name, setName] = useState('');
  const [fullName, setFullName] = useState('');
  const [role, setRole] = useState<Role>('duty');
  const [error, setError] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      const made = await post<{ password: string }>('users', {
        name: name.normalize('NFC'),
        full_name: fullName.normalize('NFC'),
        role,
      });
      setName('');
      setFullName('');
      setError('');
      onDone(made.password);
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
    }
  };
  return (
    <form class="filters" onSubmit={submit}>
      <label>{t('User name')}<input required maxLength={64} value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
      <label>{t('Full name')}<input maxLength={100} value={fullName} onInput={(event) => setFullName(event.currentTarget.value)} /></label>
      <label>
        {t('Role')}
        <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
          {(['viewer', 'duty', 'admin'] as const).map((each) => <option key={each} value={each}>{roleWords()[each]}</option>)}
        </select>
      </label>
      <button class="primary">{t('Add')}</button>
      {error && <p role="alert" class="error">{error}</p>}
    </form>
  );
}

function Users() {
  const { value, reload } = useData<Page<User>>('users', []);
  const [password, setPassword] = useState('');
  const change = async (user: User, body: unknown) => {
    await call('PATCH', `users/${encodeURIComponent(user.name)}`, body);
    reload();
  };
  return (
    <section>
      <h2>{t('Users')}</h2>
      <NewUser onDone={(fresh) => { setPassword(fresh); reload(); }} />
      {password && <p role="status">{t('One-time password:')} <code class="copy">{password}</code></p>}
      <table>
        <thead>
          <tr>
            <th scope="col">{t('User name')}</th>
            <th scope="col" class="wide">{t('Full name')}</th>
            <th scope="col">{t('Role')}</th>
            <th scope="col" class="number">{t('Last log-in')}</th>
            <th scope="col"><span class="unseen">{t('Acts')}</span></th>
          </tr>
        </thead>
        <tbody>
          {(value?.items ?? []).map((user) => (
            <tr key={user.name}>
              <td>{user.name}</td>
              <td class="wide">{user.full_name}</td>
              <td>
                <select aria-label={t('Role of {0}', user.name)} value={user.role} disabled={user.name === me.value?.name}
                  onChange={(event) => void change(user, { role: event.currentTarget.value })}>
                  {(['viewer', 'duty', 'admin'] as const).map((each) => <option key={each} value={each}>{roleWords()[each]}</option>)}
                </select>
              </td>
              <td class="number"><Time when={user.last_login} /></td>
              <td>
                <button disabled={user.name === me.value?.name} onClick={() => void change(user, { disabled: !user.disabled })}>
                  {user.disabled ? t('Let in again') : t('Lock out')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function AuditLog() {
  const { value } = useData<Page<Audit>>('audit?limit=50', ['alerts', 'hosts', 'actions']);
  return (
    <section>
      <h2>{t('Audit log')}</h2>
      <p>{t('Every act is chained to the one before it; canhgac audit verify checks the chain.')}</p>
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">{t('Time')}</th>
            <th scope="col">{t('Who')}</th>
            <th scope="col">{t('Act')}</th>
            <th scope="col">{t('On what')}</th>
          </tr>
        </thead>
        <tbody>
          {(value?.items ?? []).map((row) => (
            <tr key={row.number}>
              <td class="number"><Time when={row.time} /></td>
              <td>{row.actor}</td>
              <td><code>{row.act}</code></td>
              <td>{row.object}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Settings() {
  return (
    <main class="settings">
      <h1>{t('Settings')}</h1>
      <Screen />
      <Account />
      {may('admin') && <Tokens />}
      {may('admin') && <Users />}
      {may('admin') && <AuditLog />}
    </main>
  );
}
