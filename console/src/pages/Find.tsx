// Tìm: events of the whole archive by what is typed, newest first. What is asked is sent on Enter, not with each letter:
// every search is kept in the audit log.
import { useEffect, useRef, useState } from 'preact/hooks';

import { post, wordsOf, type EventHit, type Page } from '../api';
import { Sheet } from '../components/Sheet';
import { Time } from '../components/Time';
import { number, t } from '../i18n';
import { go, link, route } from '../route';
import { may } from '../session';

const PAGE = 100;
const periods: [string, () => string, number][] = [
  ['1h', () => t('Last hour'), 3600],
  ['24h', () => t('Last 24 hours'), 86400],
  ['7d', () => t('Last 7 days'), 604800],
  ['', () => t('All that is kept'), 0],
];

/** The entry of a log as it was written; of other events what matters most. */
function said(event: Record<string, string | number>): string {
  const shown = ['event.original', 'process.command_line', 'file.target_path', 'file.path', 'message', 'process.executable'];
  const found = shown.find((name) => event[name] !== undefined && event[name] !== '');
  return found ? String(event[found]) : '';
}

function kindWord(kind: string): string {
  const words: Record<string, string> = {
    process_start: t('process started'),
    process_end: t('process ended'),
    file_change: t('file changed'),
    file_rename: t('file renamed'),
    file_delete: t('file deleted'),
    agent: t('agent'),
    log: t('log'),
  };
  return words[kind] ?? kind;
}

function quoted(value: string): string {
  return /[\s"*?]/.test(value) ? `"${value.replaceAll('"', '\\"')}"` : value;
}

function Details({ hit, onClose, onNarrow }: { hit: EventHit; onClose: () => void; onNarrow: (term: string) => void }) {
  const fields = Object.entries(hit.event).filter(([name]) => name !== '@timestamp' && name !== 'event.original');
  return (
    <Sheet title={kindWord(String(hit.event['event.action']))} onClose={onClose}>
      <p><Time when={String(hit.event['@timestamp'])} /> · <a href={link('hosts', hit.host)}>{hit.host_name}</a></p>
      {hit.event['event.original'] !== undefined && <pre class="entry">{hit.event['event.original']}</pre>}
      <dl class="figures fields">
        {fields.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {String(value)}{' '}
              <button class="plain small" title={t('Only those')} aria-label={t('Only those with {0}', name)}
                onClick={() => onNarrow(`${name}:${typeof value === 'number' ? value : quoted(value)}`)}>+</button>
              <button class="plain small" title={t('None of those')} aria-label={t('None of those with {0}', name)}
                onClick={() => onNarrow(`-${name}:${typeof value === 'number' ? value : quoted(value)}`)}>−</button>
            </dd>
          </div>
        ))}
      </dl>
    </Sheet>
  );
}

export function Find() {
  const query = route.value.query;
  const typed = query.get('q') ?? '';
  const period = query.get('last') ?? '24h';
  const [hits, setHits] = useState<EventHit[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [shown, setShown] = useState<EventHit | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const turn = useRef(0);

  const look = async (cursor: string | null) => {
    const mine = ++turn.current;
    const seconds = periods.find(([name]) => name === period)?.[2] ?? 0;
    setBusy(true);
    setError('');
    try {
      const page = await post<Page<EventHit>>('events/search', {
        q: typed,
        limit: PAGE,
        ...(seconds ? { from: new Date(Date.now() - seconds * 1000).toISOString() } : {}),
        ...(cursor ? { cursor } : {}),
      });
      if (mine !== turn.current) return;
      setHits(cursor ? [...(hits ?? []), ...page.items] : page.items);
      setNext(page.next);
    } catch (reason) {
      if (mine === turn.current) setError(wordsOf(reason));
    } finally {
      if (mine === turn.current) setBusy(false);
    }
  };
  useEffect(() => {
    setShown(null);
    if (query.has('q')) void look(null);
    else field.current?.focus();
  }, [typed, period, query.has('q')]);
  const ask = (words: string, last: string) => go(link('find', null, { q: words, last }));
  if (!may('duty')) return <main><h1>{t('Find')}</h1><p class="calm">{t('Only those on duty search in events.')}</p></main>;
  return (
    <main>
      <h1>{t('Find')}</h1>
      <form class="filters find" role="search" onSubmit={(event) => {
        event.preventDefault();
        ask((field.current?.value ?? '').normalize('NFC').trim(), period);
      }}>
        <label class="search">
          {t('Events that hold')}
          <input ref={field} type="search" id="search" key={typed} defaultValue={typed} maxLength={500} autocomplete="off"
            spellcheck={false} placeholder={t('failed password user:root -host:test')} />
        </label>
        <label>
          {t('When')}
          <select value={period} onChange={(event) => ask((field.current?.value ?? '').trim(), event.currentTarget.value)}>
            {periods.map(([name, word]) => <option key={name} value={name}>{word()}</option>)}
          </select>
        </label>
        <button type="submit" disabled={isBusy}>{t('Find')}</button>
        <details class="quiet">
          <summary>{t('How to ask')}</summary>
          <p>{t('Words are found with or without dấu; all must stand in the event. "Some words" stand side by side. user:root, host:web*, pid:>1000 name a field. A minus before a term leaves out.')}</p>
        </details>
      </form>
      {error && <p role="alert" class="error">{error}</p>}
      {isBusy && !hits && <p class="calm" role="status">{t('Looking…')}</p>}
      {hits && hits.length === 0 && !isBusy && <p class="calm" role="status">{t('Nothing matches.')}</p>}
      {hits && hits.length > 0 && (
        <>
          <p class="quiet" role="status">{next ? t('The newest {0}', number(hits.length)) : t('{0} found', number(hits.length))}</p>
          <table class="events">
            <thead>
              <tr>
                <th scope="col" class="number">{t('Time')}</th>
                <th scope="col">{t('Host')}</th>
                <th scope="col" class="wide">{t('Kind')}</th>
                <th scope="col">{t('Event')}</th>
              </tr>
            </thead>
            <tbody>
              {hits.map((hit, index) => (
                <tr key={index} onClick={() => setShown(hit)}>
                  <td class="number"><Time when={String(hit.event['@timestamp'])} /></td>
                  <td>{hit.host_name}</td>
                  <td class="wide">{kindWord(String(hit.event['event.action']))}</td>
                  <td class="said"><button class="plain" onClick={() => setShown(hit)}>{said(hit.event)}</button></td>
                </tr>
              ))}
            </tbody>
          </table>
          {next && <p><button disabled={isBusy} onClick={() => void look(next)}>{t('Older events')}</button></p>}
        </>
      )}
      {shown && <Details hit={shown} onClose={() => setShown(null)} onNarrow={(term) => ask(`${typed} ${term}`.trim(), period)} />}
    </main>
  );
}
