// Users and what they may do. Each reading stands in the audit log, so it is read when it is opened and after own acts. Whatever takes something from somebody asks why and can be taken back.
import { useState } from 'preact/hooks';

import { call, wordsOf, type Page, type Role } from '../../api';
import { Reason, type Ask } from '../../components/Reason';
import { Time } from '../../components/Time';
import { useData } from '../../data';
import { t } from '../../i18n';
import { tell } from '../../notice';
import { me } from '../../session';
import { NewUser, roles, roleWord } from './NewUser';

interface User {
  name: string;
  full_name: string;
  role: Role;
  disabled: boolean;
  totp: boolean;
  must_change_password: boolean;
  last_login: string | null;
}

const change = (user: User, body: unknown) => call<{ password?: string } | null>('PATCH', `users/${encodeURIComponent(user.name)}`, body);

function asks(user: User, onDone: () => void, onPassword: (name: string, password: string) => void) {
  const apply = async (body: object, text: string, undo?: object) => {
    await change(user, body);
    tell(text, undo && { label: t('Undo'), run: () => change(user, { ...undo, reason: t('taken back at once') }).then(onDone) });
    onDone();
  };
  const toRole = (role: Role): Ask => ({
    title: t('Role of {0}', user.name),
    act: roleWord(role),
    consequence: t('{0} changes from {1} to {2}, at once.', user.name, roleWord(user.role), roleWord(role)),
    onDone: (reason) => apply({ role, reason }, t('{0} is now {1}', user.name, roleWord(role)), { role: user.role }),
  });
  const lock: Ask = {
    title: t('Lock {0} out', user.name),
    act: t('Lock out'),
    isDangerous: true,
    consequence: t('All sessions of {0} end at once and no new one is opened.', user.name),
    remedy: t('It can be undone; the sessions do not come back.'),
    onDone: (reason) => apply({ disabled: true, reason }, t('{0} is locked out', user.name), { disabled: false }),
  };
  const reset: Ask = {
    title: t('New password for {0}', user.name),
    act: t('Make a password'),
    isDangerous: true,
    consequence: t('All sessions of {0} end at once. The old password and the authenticator no longer count.', user.name),
    remedy: t('It cannot be undone: a new one-time password is shown to you once.'),
    onDone: async (reason) => {
      const made = await change(user, { reset_password: true, reset_totp: true, reason });
      onPassword(user.name, made?.password ?? '');
      onDone();
    },
  };
  return { toRole, lock, reset, letIn: () => apply({ disabled: false }, t('{0} may log in again', user.name), { disabled: true }) };
}

function Row({ user, onAsk, onDone, onPassword }: { user: User; onAsk: (ask: Ask) => void; onDone: () => void; onPassword: (name: string, password: string) => void }) {
  const isSelf = user.name === me.value?.name;
  const can = asks(user, onDone, onPassword);
  return (
    <tr class={user.disabled ? 'gone' : ''}>
      <td>{user.name}{user.disabled && <span class="tag">{t('locked out')}</span>}</td>
      <td class="wide">{user.full_name}</td>
      <td>
        {isSelf ? roleWord(user.role) : (
          <select aria-label={t('Role of {0}', user.name)} value={user.role}
            onChange={(event) => {
              const role = event.currentTarget.value as Role;
              event.currentTarget.value = user.role;
              onAsk(can.toRole(role));
            }}>
            {roles.map((each) => <option key={each} value={each}>{roleWord(each)}</option>)}
          </select>
        )}
      </td>
      <td class="wide">{user.totp ? t('with authenticator') : <span class="quiet">{t('password only')}</span>}</td>
      <td class="number wide"><Time when={user.last_login} /></td>
      <td class="rowacts shown">
        {isSelf ? <span class="quiet">{t('yourself')}</span> : (
          <>
            <button onClick={() => onAsk(can.reset)}>{t('New password')}</button>
            {user.disabled
              ? <button onClick={() => void can.letIn().catch((reason: unknown) => tell(wordsOf(reason), undefined, true))}>{t('Let in again')}</button>
              : <button class="danger" onClick={() => onAsk(can.lock)}>{t('Lock out')}</button>}
          </>
        )}
      </td>
    </tr>
  );
}

export function Users() {
  const { value, error, reload } = useData<Page<User>>('users', []);
  const [once, setOnce] = useState<{ name: string; password: string } | null>(null);
  const [ask, setAsk] = useState<Ask | null>(null);
  const done = () => {
    setAsk(null);
    reload();
  };
  const show = (name: string, password: string) => {
    setOnce({ name, password });
    reload();
  };
  return (
    <section>
      <h2>{t('Users')}</h2>
      <NewUser onDone={show} />
      {error && <p role="alert" class="error">{error}</p>}
      {once && (
        <p role="status">
          {t('One-time password of {0}, shown only now:', once.name)} <code class="copy">{once.password}</code>
        </p>
      )}
      <table class="users">
        <thead>
          <tr>
            <th scope="col">{t('User name')}</th>
            <th scope="col" class="wide">{t('Full name')}</th>
            <th scope="col">{t('Role')}</th>
            <th scope="col" class="wide">{t('Logs in')}</th>
            <th scope="col" class="number wide">{t('Last log-in')}</th>
            <th scope="col"><span class="unseen">{t('Acts')}</span></th>
          </tr>
        </thead>
        <tbody>
          {(value?.items ?? []).map((user) => <Row key={user.name} user={user} onAsk={setAsk} onDone={done} onPassword={show} />)}
        </tbody>
      </table>
      {ask && <Reason key={ask.title} ask={ask} onCancel={() => setAsk(null)} />}
    </section>
  );
}
