// Tokens with which log shippers post what they gather: made here, shown once, revoked here.
import { useState } from 'preact/hooks';

import { post, wordsOf, type Page } from '../../api';
import { Reason, type Ask } from '../../components/Reason';
import { Time } from '../../components/Time';
import { useData } from '../../data';
import { t } from '../../i18n';
import { tell } from '../../notice';

interface SenderToken {
  number: number;
  name: string;
  created_by: string;
  created: string;
  used: string | null;
  revoked: string | null;
}

function revokeAsk(token: SenderToken, onDone: () => void): Ask {
  return {
    title: t('Revoke the token of {0}', token.name),
    act: t('Revoke'),
    isDangerous: true,
    consequence: t('What it sends is refused from now on. Logs that came already stay.'),
    remedy: t('For ten seconds it can be taken back.'),
    onDone: async (reason) => {
      await post(`sender-tokens/${token.number}/revoke`, { reason });
      tell(t('The token of {0} was revoked', token.name), {
        label: t('Undo'),
        run: () => post(`sender-tokens/${token.number}/reinstate`).then(onDone),
      });
      onDone();
    },
  };
}

function Made({ token }: { token: string }) {
  return (
    <div role="status">
      <p>{t('Copy it now, it is shown only once:')} <code class="copy">{token}</code></p>
      <p>
        {t('To try it:')}{' '}
        <code class="copy">
          {`curl -k -H 'Authorization: Bearer ${token}' -d '{"message":"thử"}' ${location.origin}/api/v1/events`}
        </code>
      </p>
    </div>
  );
}

function Row({ token, onRevoke }: { token: SenderToken; onRevoke: () => void }) {
  return (
    <tr>
      <td class={token.revoked ? 'quiet' : ''}>{token.name}</td>
      <td class="wide">{token.created_by}</td>
      <td class="number wide"><Time when={token.created} /></td>
      <td class="number">{token.used ? <Time when={token.used} /> : <span class="quiet">{t('never used')}</span>}</td>
      <td>
        {token.revoked
          ? <span class="quiet">{t('revoked')} <Time when={token.revoked} /></span>
          : <button class="danger" aria-label={t('Revoke the token of {0}', token.name)} onClick={onRevoke}>{t('Revoke')}</button>}
      </td>
    </tr>
  );
}

export function Senders() {
  const { value, error: failure, reload } = useData<Page<SenderToken>>('sender-tokens', []);
  const [name, setName] = useState('');
  const [made, setMade] = useState('');
  const [error, setError] = useState('');
  const [revoking, setRevoking] = useState<SenderToken | null>(null);
  const make = async (event: Event) => {
    event.preventDefault();
    try {
      setMade((await post<{ token: string }>('sender-tokens', { name: name.trim() })).token);
      setName('');
      setError('');
      reload();
    } catch (reason) {
      setMade('');
      setError(wordsOf(reason));
    }
  };
  const stop = () => {
    setRevoking(null);
    reload();
  };
  return (
    <section>
      <h2>{t('Senders of logs')}</h2>
      <p>{t('filebeat, fluent-bit, vector, NXLog, rsyslog and others send their logs here as to Elasticsearch or Splunk. A token lets one of them do that, and nothing else.')}</p>
      <form class="filters" onSubmit={make}>
        <label>
          {t('Name of the machine or shipper')}
          <input required maxLength={64} pattern="[A-Za-z0-9._\-]+" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <button class="primary">{t('Make a token')}</button>
      </form>
      {(error || failure) && <p role="alert" class="error">{error || failure}</p>}
      {made && <Made token={made} />}
      {value && value.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('Name')}</th>
              <th scope="col" class="wide">{t('Made by')}</th>
              <th scope="col" class="number wide">{t('Made at')}</th>
              <th scope="col" class="number">{t('Last used')}</th>
              <th scope="col">{t('State')}</th>
            </tr>
          </thead>
          <tbody>
            {value.items.map((token) => <Row key={token.number} token={token} onRevoke={() => setRevoking(token)} />)}
          </tbody>
        </table>
      )}
      {revoking && <Reason ask={revokeAsk(revoking, stop)} onCancel={() => setRevoking(null)} />}
    </section>
  );
}
