// Adds a user, and names the roles.
import { useState } from 'preact/hooks';

import { post, wordsOf, type Role } from '../../api';
import { t } from '../../i18n';

export const roles: Role[] = ['viewer', 'duty', 'admin'];
export function roleWord(role: Role): string {
  return { viewer: t('Viewer'), duty: t('Duty'), admin: t('Administrator') }[role];
}

export function NewUser({ onDone }: { onDone: (name: string, password: string) => void }) {
  const [name, setName] = useState('');
  const [fullName, setFullName] = useState('');
  const [role, setRole] = useState<Role>('duty');
  const [error, setError] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      const made = await post<{ password: string }>('users', { name: name.trim(), full_name: fullName.normalize('NFC').trim(), role });
      onDone(name.trim(), made.password);
      setName('');
      setFullName('');
      setError('');
    } catch (reason) {
      setError(wordsOf(reason));
    }
  };
  return (
    <form class="filters" onSubmit={submit}>
      <label>
        {t('User name')}
        <input required maxLength={64} pattern="[a-z0-9][a-z0-9._\-]*" title={t('a-z, 0-9, dot, dash, underscore')} autocapitalize="none"
          value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label>{t('Full name')}<input maxLength={60} value={fullName} onInput={(event) => setFullName(event.currentTarget.value)} /></label>
      <label>
        {t('Role')}
        <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
          {roles.map((each) => <option key={each} value={each}>{roleWord(each)}</option>)}
        </select>
      </label>
      <button class="primary">{t('Add')}</button>
      {error && <p role="alert" class="error">{error}</p>}
    </form>
  );
}
