// Cài đặt: own account and screen for everybody; the centre, users, tokens and the audit log for administrators.
import type { JSX } from 'preact';

import { t } from '../i18n';
import { link, route } from '../route';
import { may } from '../session';
import { Account } from './settings/Account';
import { AuditLog } from './settings/AuditLog';
import { Centre } from './settings/Centre';
import { Senders } from './settings/Senders';
import { Tokens } from './settings/Tokens';
import { Users } from './settings/Users';

const parts: Record<string, { title: () => string; isForAdmin: boolean; view: () => JSX.Element }> = {
  me: { title: () => t('You'), isForAdmin: false, view: Account },
  centre: { title: () => t('Centre'), isForAdmin: true, view: Centre },
  users: { title: () => t('Users'), isForAdmin: true, view: Users },
  tokens: { title: () => t('Tokens'), isForAdmin: true, view: Tokens },
  senders: { title: () => t('Senders of logs'), isForAdmin: true, view: Senders },
  audit: { title: () => t('Audit log'), isForAdmin: true, view: AuditLog },
};

export function Settings() {
  const allowed = Object.entries(parts).filter(([, part]) => !part.isForAdmin || may('admin'));
  const name = allowed.some(([each]) => each === route.value.id) ? route.value.id! : 'me';
  const part = parts[name]!;
  return (
    <main class="settings">
      <h1>{t('Settings')}</h1>
      {allowed.length > 1 && (
        <nav class="parts" aria-label={t('Parts of the settings')}>
          {allowed.map(([each, { title }]) => (
            <a key={each} href={link('settings', each)} aria-current={each === name ? 'page' : undefined}>{title()}</a>
          ))}
        </nav>
      )}
      <part.view key={name} />
    </main>
  );
}
