// One-time tokens for enrolling hosts.
import { useState } from 'preact/hooks';

import { post, wordsOf, type Page } from '../../api';
import { Time } from '../../components/Time';
import { useData } from '../../data';
import { t } from '../../i18n';

interface Token {
  number: number;
  state: 'open' | 'used' | 'expired';
  note: string;
  created_by: string;
  expires: string;
  used: string | null;
}

function tokenWord(token: Token): string {
  const words: Record<Token['state'], string> = { open: t('can be used'), used: t('was used'), expired: t('expired') };
  return words[token.state];
}

export function Tokens() {
  const { value, error: failure, reload } = useData<Page<Token>>('tokens', []);
  const [note, setNote] = useState('');
  const [made, setMade] = useState<{ token: string; expires: string } | null>(null);
  const [error, setError] = useState('');
  const make = async (event: Event) => {
    event.preventDefault();
    try {
      setMade(await post<{ token: string; expires: string }>('tokens', { note: note.normalize('NFC').trim() }));
      setNote('');
      setError('');
      reload();
    } catch (reason) {
      setError(wordsOf(reason));
    }
  };
  return (
    <section>
      <h2>{t('Tokens')}</h2>
      <p>{t('A token lets one host enrol, once, before it expires.')}</p>
      <form class="filters" onSubmit={make}>
        <label>
          {t('For which host')}
          <input required maxLength={100} value={note} onInput={(event) => setNote(event.currentTarget.value)} />
        </label>
        <button class="primary">{t('Make a token')}</button>
      </form>
      {(error || failure) && <p role="alert" class="error">{error || failure}</p>}
      {made && (
        <p role="status">
          {t('On that host, as root:')} <code class="copy">canhgac agent enrol {location.host} {made.token}</code>{' '}
          <span class="quiet">{t('good until')} <Time when={made.expires} /></span>
        </p>
      )}
      {value && value.items.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('For which host')}</th>
              <th scope="col" class="wide">{t('Made by')}</th>
              <th scope="col">{t('State')}</th>
              <th scope="col" class="number">{t('Expires')}</th>
              <th scope="col" class="number">{t('Used at')}</th>
            </tr>
          </thead>
          <tbody>
            {value.items.map((token) => (
              <tr key={token.number}>
                <td>{token.note || <span class="quiet">{t('without a note')}</span>}</td>
                <td class="wide">{token.created_by}</td>
                <td class={token.state === 'open' ? '' : 'quiet'}>{tokenWord(token)}</td>
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
