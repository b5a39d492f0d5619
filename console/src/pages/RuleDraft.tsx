// A search that becomes a rule: the centre writes it down as Sigma, a person goes on from there and tries it over what is
// stored before anything is switched on.
import { useEffect, useRef, useState } from 'preact/hooks';

import { post, wordsOf, type EventHit, type EventPage } from '../api';
import { Histogram } from '../components/Histogram';
import { Sheet } from '../components/Sheet';
import { Time } from '../components/Time';
import { ask } from '../find';
import { number, t } from '../i18n';
import { may } from '../session';
import { shortTime } from '../time';

const DAY = 86400_000;

interface Trial {
  counts: Map<number, number>;
  hits: EventHit[];
  found: number;
  unread: number;
  reached: number;
  from: number;
  to: number;
  isOver: boolean;
}

function said(hit: EventHit): string {
  return String(hit.event['event.original'] ?? hit.event['message'] ?? '');
}

export function RuleDraft({ typed, from, onClose }: { typed: string; from?: string; onClose: () => void }) {
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState('');
  const [reason, setReason] = useState('');
  const [saved, setSaved] = useState(false);
  const [days, setDays] = useState(7);
  const [trial, setTrial] = useState<Trial | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => {
    post<{ rule: string }>('rules/draft', { q: typed, ...(from ? { from } : {}) })
      .then((answer) => setText(answer.rule))
      .catch((why) => setError(wordsOf(why)));
    return () => stop.current?.abort();
  }, []);
  const attempt = async () => {
    stop.current?.abort();
    const mine = (stop.current = new AbortController());
    const to = Date.now();
    let now: Trial = { counts: new Map(), hits: [], found: 0, unread: 0, reached: to, from: to - days * DAY, to, isOver: false };
    setError('');
    setTrial(now);
    try {
      await ask('rules/try', { rule: text ?? '', from: new Date(now.from).toISOString(), limit: 5, step: 3600 }, mine.signal, (page: EventPage) => {
        for (const { time, count } of page.counts) now.counts.set(Date.parse(time), (now.counts.get(Date.parse(time)) ?? 0) + count);
        now = { ...now, hits: [...now.hits, ...page.items].slice(0, 5), found: now.found + page.found, unread: now.unread + page.unread, reached: Date.parse(page.reached) };
        setTrial(now);
        return { limit: Math.max(0, 5 - now.hits.length) };
      });
    } catch (why) {
      setError(wordsOf(why));
    }
    if (stop.current === mine) setTrial({ ...now, isOver: true });
  };
  const save = async () => {
    setError('');
    try {
      await post('rules', { text, reason });
      setSaved(true);
    } catch (why) {
      setError(wordsOf(why));
    }
  };
  return (
    <Sheet title={t('Rule from this search')} onClose={onClose}>
      {text === null && !error && <p class="calm" role="status">{t('Writing the rule…')}</p>}
      {text !== null && (
        <>
          <label class="draft">
            {t('The rule, as Sigma')}
            <textarea id="rule-text" rows={14} spellcheck={false} value={text} onInput={(event) => { setText(event.currentTarget.value); setSaved(false); }} />
          </label>
          <p class="quiet">{t('Give it a title that says what happened, and a level. A rule tells dấu apart; a search does not.')}</p>
          <div class="line">
            <label>
              {t('Try it on')}
              <select value={String(days)} onChange={(event) => setDays(Number(event.currentTarget.value))}>
                {[1, 7, 30, 90].map((count) => <option key={count} value={count}>{t('the last {0} days', number(count))}</option>)}
              </select>
            </label>
            <button onClick={() => void attempt()}>{t('Try on what is stored')}</button>
            {trial && !trial.isOver && <button onClick={() => stop.current?.abort()}>{t('Stop')}</button>}
          </div>
        </>
      )}
      {error && <p role="alert" class="error">{error}</p>}
      {trial && (
        <section class="trial" aria-label={t('Trial')}>
          <p role="status">{trial.isOver ? t('It would have spoken {0} times', number(trial.found)) : t('{0} so far; looked back to {1}', number(trial.found), shortTime(new Date(trial.reached).toISOString()))}</p>
          {trial.unread > 0 && <p class="quiet">{t('{0} entries could not be read', number(trial.unread))}</p>}
          <Histogram counts={trial.counts} step={3600} from={trial.from} to={trial.to} reached={trial.isOver ? 0 : trial.reached} />
          {trial.hits.length > 0 && <ul class="hits">{trial.hits.map((hit, index) => <li key={index}><Time when={String(hit.event['@timestamp'])} /> {hit.host_name} <code>{said(hit)}</code></li>)}</ul>}
        </section>
      )}
      {text !== null && may('admin') && (
        <div class="line last">
          <label>
            {t('Reason')}
            <input value={reason} maxLength={200} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
          <button class="main" disabled={saved || reason.trim().length < 3} onClick={() => void save()}>{t('Switch it on')}</button>
          {saved && <span role="status">{t('The rule is in force.')}</span>}
        </div>
      )}
    </Sheet>
  );
}
