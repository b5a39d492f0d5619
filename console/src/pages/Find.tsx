// Tìm: events of the whole archive by what is typed, newest first. What is asked is sent on Enter, not with each letter:
// every search is kept in the audit log.
import { useEffect, useRef, useState } from 'preact/hooks';

import fields from 'catalogue:fields';

import { wordsOf, type ArchiveDamage, type EventHit } from '../api';
import { Histogram } from '../components/Histogram';
import { Sheet } from '../components/Sheet';
import { Terms } from '../components/Terms';
import { Time } from '../components/Time';
import { ask, stepOf, withDamages } from '../find';
import { number, t } from '../i18n';
import { go, link, route } from '../route';
import { may } from '../session';
import { shortTime } from '../time';
import { RuleDraft } from './RuleDraft';

const PAGE = 100;
const FIELDS = 10;
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

/** What has come of the question so far. */
interface Found {
  hits: EventHit[];
  next: string | null;
  reached: number;
  unread: number;
  damages: ArchiveDamage[];
  hasMoreDamages: boolean;
}

interface Counted {
  counts: Map<number, number>;
  found: number;
  step: number;
  from: number;
  to: number;
  reached: number;
  isOver: boolean;
}

/** The time that is asked for, in ms: a period up to now, or from and to of the address. */
function spanOf(query: URLSearchParams): { from: number; to: number; isChosen: boolean } {
  const from = Date.parse(query.get('from') ?? '');
  const to = Date.parse(query.get('to') ?? '');
  if (from && to) return { from, to, isChosen: true };
  const seconds = periods.find(([name]) => name === (query.get('last') ?? '24h'))?.[2] ?? 0;
  return { from: seconds ? Date.now() - seconds * 1000 : 0, to: Date.now(), isChosen: false };
}

/** What the search had to pass over: when it was, and what to do. */
function Damages({ damages, hasMore }: { damages: ArchiveDamage[]; hasMore: boolean }) {
  return (
    <div role="alert">
      <ul class="error">
        {damages.map(({ file, block, from, to, entries }) => (
          <li key={`${file} ${block}`}>
            {block === 0
              ? t('{0} is damaged: what it holds was not searched, or not all of it. Put it back from a backup.', file)
              : t('{0} events from {1} to {2} could not be read: {3} is damaged in one place. Put it back from a backup.', number(entries), shortTime(from), shortTime(to), file)}
          </li>
        ))}
        {hasMore && <li>{t('And more places than these are damaged.')}</li>}
      </ul>
    </div>
  );
}

export function Find() {
  const query = route.value.query;
  const typed = query.get('q') ?? '';
  const period = query.get('last') ?? '24h';
  const chosen = `${query.get('from') ?? ''} ${query.get('to') ?? ''}`;
  const [found, setFound] = useState<Found | null>(null);
  const [counted, setCounted] = useState<Counted | null>(null);
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [shown, setShown] = useState<EventHit | null>(null);
  const [isDrafting, setDrafting] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController | null>(null);

  const begin = (): AbortController => {
    stop.current?.abort();
    stop.current = new AbortController();
    setBusy(true);
    setError('');
    return stop.current;
  };
  const bounds = () => {
    const span = spanOf(query);
    return { ...(span.from ? { from: new Date(span.from).toISOString() } : {}), ...(span.isChosen ? { to: new Date(span.to - 1).toISOString() } : {}) };
  };
  const page = async (mine: AbortController, cursor: string | null, before: EventHit[]) => {
    let now: Found = { hits: before, next: cursor, reached: Date.now(), unread: 0, damages: [], hasMoreDamages: false };
    const wanted = before.length + PAGE;
    await ask('events/search', { q: typed, limit: PAGE, ...bounds(), ...(cursor ? { cursor } : {}) }, mine.signal, (answer) => {
      now = { hits: [...now.hits, ...answer.items], next: answer.next, reached: Date.parse(answer.reached), unread: now.unread + answer.unread, damages: withDamages(now.damages, answer.damages), hasMoreDamages: now.hasMoreDamages || answer.more_damages };
      setFound(now);
      return { isEnough: now.hits.length >= wanted, limit: wanted - now.hits.length };
    });
    return now;
  };
  /** All of them are counted while the first are read. */
  const count = async (mine: AbortController, oldest: number) => {
    const span = spanOf(query);
    const from = span.from || oldest;
    const step = stepOf(span.to - from);
    let now: Counted = { counts: new Map(), found: 0, step, from, to: span.to, reached: span.to, isOver: false };
    await ask('events/search', { q: typed, limit: 0, step, ...bounds() }, mine.signal, (answer) => {
      for (const { time, count: more } of answer.counts) now.counts.set(Date.parse(time), (now.counts.get(Date.parse(time)) ?? 0) + more);
      const first = Math.min(...now.counts.keys(), now.from);
      now = { ...now, found: now.found + answer.found, reached: Date.parse(answer.reached), from: span.from || first, isOver: !answer.next };
      setCounted(now);
    });
  };
  const look = async (cursor: string | null) => {
    const mine = begin();
    if (!cursor) {
      setFound(null);
      setCounted(null);
    }
    try {
      const now = await page(mine, cursor, cursor ? (found?.hits ?? []) : []);
      if (mine.signal.aborted) return;
      setBusy(false);
      const last = now.hits.at(-1);
      if (!cursor && last) await count(mine, Date.parse(String(last.event['@timestamp'])));
    } catch (reason) {
      if (stop.current === mine) setError(wordsOf(reason));
    } finally {
      if (stop.current === mine) setBusy(false);
    }
  };
  const cancel = () => {
    stop.current?.abort();
    setBusy(false);
  };
  useEffect(() => {
    setShown(null);
    setDrafting(false);
    if (query.has('q')) void look(null);
    else field.current?.focus();
  }, [typed, period, chosen, query.has('q')]);
  useEffect(() => () => stop.current?.abort(), []);
  const move = (words: string, last: string) => go(link('find', null, { q: words, last }));
  const narrow = (from: number, to: number) => go(link('find', null, { q: typed, last: period, from: new Date(from).toISOString(), to: new Date(to).toISOString() }));
  if (!may('duty')) return <main><h1>{t('Find')}</h1><p class="calm">{t('Only those on duty search in events.')}</p></main>;
  const span = spanOf(query);
  const hits = found?.hits ?? [];
  return (
    <main>
      <h1>{t('Find')}</h1>
      <form class="filters find" role="search" onSubmit={(event) => {
        event.preventDefault();
        move((field.current?.value ?? '').normalize('NFC').trim(), period);
      }}>
        <Terms field={field} typed={typed} more={[...new Set(hits.flatMap((hit) => Object.keys(hit.event)))]} />
        <label>
          {t('When')}
          <select value={period} onChange={(event) => move((field.current?.value ?? '').trim(), event.currentTarget.value)}>
            {periods.map(([name, word]) => <option key={name} value={name}>{word()}</option>)}
          </select>
        </label>
        <button type="submit">{t('Find')}</button>
        {typed && <button type="button" onClick={() => setDrafting(true)}>{t('Make it a rule')}</button>}
        <details class="quiet">
          <summary>{t('How to ask')}</summary>
          <p>{t('Words are found with or without dấu; all must stand in the event. "Some words" stand side by side. user:root, host:web*, pid:>1000 name a field. A minus before a term leaves out.')}</p>
          <p>{t('root OR admin: one of them. NOT (a OR b): none of them. NOT binds closest, then words side by side, then OR. HOẶC, KHÔNG, VÀ are understood too. src_ip:203.0.113.9 or EventID:4625 are fields that an entry of a log holds; source.ip:203.0.113.9, as ECS has it, asks all kinds of logs, and source.ip:203.0.113.0/24 for a whole network.')}</p>
          <p>{t('Fields that many events have: {0}. Others are offered while you type.', fields.slice(0, FIELDS).join(', '))}</p>
        </details>
        {span.isChosen && (
          <p class="chosen">
            {t('From {0} to {1}', shortTime(new Date(span.from).toISOString()), shortTime(new Date(span.to).toISOString()))}{' '}
            <button type="button" class="plain small" onClick={() => move(typed, period)}>{t('The whole time again')}</button>
          </p>
        )}
      </form>
      {error && <p role="alert" class="error">{error}</p>}
      {isBusy && (
        <p class="calm looking" role="status">
          {found ? t('Looked back to {0}…', shortTime(new Date(found.reached).toISOString())) : t('Looking…')}{' '}
          <button onClick={cancel}>{t('Stop')}</button>
        </p>
      )}
      {found && hits.length === 0 && !isBusy && (
        <p class="calm" role="status">{found.next ? t('Nothing matches back to {0}.', shortTime(new Date(found.reached).toISOString())) : t('Nothing matches.')}</p>
      )}
      {found && found.unread > 0 && <p class="quiet">{t('{0} entries could not be read: their fields were not looked at.', number(found.unread))}</p>}
      {found && found.damages.length > 0 && <Damages damages={found.damages} hasMore={found.hasMoreDamages} />}
      {counted && <Histogram counts={counted.counts} step={counted.step} from={counted.from} to={counted.to} reached={counted.isOver ? 0 : counted.reached} onNarrow={narrow} />}
      {hits.length > 0 && (
        <>
          <p class="quiet" role="status">
            {found?.next ? t('The newest {0}', number(hits.length)) : t('{0} found', number(hits.length))}
            {found?.next && counted && ` · ${counted.isOver ? t('{0} in all', number(counted.found)) : t('{0} and more', number(counted.found))}`}
          </p>
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
          {found?.next && <p><button disabled={isBusy} onClick={() => void look(found.next)}>{t('Older events')}</button></p>}
        </>
      )}
      {shown && !isDrafting && <Details hit={shown} onClose={() => setShown(null)} onNarrow={(term) => move(`${/\b(OR|HOẶC)\b/.test(typed) ? `(${typed})` : typed} ${term}`.trim(), period)} />}
      {isDrafting && <RuleDraft typed={typed} from={bounds().from} onClose={() => setDrafting(false)} />}
    </main>
  );
}
