// Who did what: the chained log, newest first.
import { useEffect, useState } from 'preact/hooks';

import { closeWord } from '../../acts';
import { get, wordsOf, type Page } from '../../api';
import { Time } from '../../components/Time';
import { useData } from '../../data';
import { t } from '../../i18n';
import { tell } from '../../notice';

interface Audit {
  number: number;
  time: string;
  actor: string;
  act: string;
  object: string;
  detail: string;
}

function actWord(act: string): string {
  const words: Record<string, string> = {
    login: t('logged in'),
    'login.fail': t('failed to log in'),
    logout: t('logged out'),
    'alert.take': t('took an alert'),
    'alert.release': t('gave an alert back'),
    'alert.close': t('closed an alert'),
    'alert.reopen': t('opened an alert again'),
    'alert.act': t('asked something of a host'),
    'alert.call-off': t('called an action off'),
    'host.revoke': t('revoked a host'),
    'host.reinstate': t('took a revocation back'),
    'host.enrol': t('enrolled a host'),
    'host.list': t('looked at the hosts'),
    'token.create': t('made a token'),
    'sender.create': t('made a token for a sender of logs'),
    'sender.revoke': t('revoked a token of a sender of logs'),
    'sender.reinstate': t('took a revocation back'),
    'user.create': t('made a user'),
    'user.change': t('changed a user'),
    'user.password': t('gave a new password'),
    'me.password': t('changed the own password'),
    'me.profile': t('changed the own profile'),
    'me.totp.put': t('uses an authenticator'),
    'me.totp.drop': t('uses no authenticator any more'),
    'setting.change': t('changed a setting'),
    'disk.room': t('the disk has room again'),
    'process.died': t('a process of the centre died'),
    'read.users': t('looked at the users'),
    'read.tokens': t('looked at the tokens'),
    'read.senders': t('looked at the senders of logs'),
    'read.audit': t('looked at the audit log'),
    'read.settings': t('looked at the settings'),
  };
  return words[act] ?? act;
}

function reasonOf(detail: string): string {
  try {
    const { reason, from, to } = JSON.parse(detail) as Record<string, string | undefined>;
    const change = to !== undefined ? `${from || '–'} → ${to || '–'}` : '';
    return [change, reason && `“${closeWord(reason)}”`].filter(Boolean).join(' ');
  } catch {
    return '';
  }
}

export function AuditLog() {
  const { value, error } = useData<Page<Audit>>('audit?limit=50', []);
  const [more, setMore] = useState<Page<Audit> | null>(null);
  useEffect(() => setMore(null), [value]);
  const next = more ? more.next : (value?.next ?? null);
  const loadMore = async () => {
    try {
      const page = await get<Page<Audit>>(`audit?limit=50&cursor=${next ?? ''}`);
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  return (
    <section>
      <h2>{t('Audit log')}</h2>
      <p>{t('Every act is chained to the one before it; canhgac audit verify checks the chain.')}</p>
      {error && <p role="alert" class="error">{error}</p>}
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">{t('Time')}</th>
            <th scope="col">{t('Who')}</th>
            <th scope="col">{t('Act')}</th>
            <th scope="col">{t('On what')}</th>
            <th scope="col" class="wide">{t('Reason')}</th>
          </tr>
        </thead>
        <tbody>
          {[...(value?.items ?? []), ...(more?.items ?? [])].map((row) => (
            <tr key={row.number}>
              <td class="number"><Time when={row.time} /></td>
              <td>{row.actor}</td>
              <td title={row.act}>{actWord(row.act)}</td>
              <td>{row.act.startsWith('alert.') && /^\d+$/.test(row.object) ? `#${row.object}` : row.object}</td>
              <td class="wide">{reasonOf(row.detail)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {next && <button onClick={() => void loadMore()}>{t('Older ones')}</button>}
    </section>
  );
}
