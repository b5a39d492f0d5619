// Cảnh báo: one table of all alerts, filters in the address, more on demand, acts on many at once.
import { useEffect, useState } from 'preact/hooks';

import { closeAsk, take } from '../acts';
import { get, wordsOf, type Alert, type Page } from '../api';
import { AlertTable } from '../components/AlertTable';
import { Choice } from '../components/Choice';
import { Reason, type Ask } from '../components/Reason';
import { Search } from '../components/Search';
import { useData } from '../data';
import { number, t } from '../i18n';
import { tell } from '../notice';
import { link, route, setFilter } from '../route';
import { may } from '../session';
import { useSteady } from '../steady';
import { AlertSheet } from './AlertSheet';

function Filters() {
  const query = route.value.query;
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <Search value={query.get('q') ?? ''} hint={t('words, host, with or without dấu')} onChange={(value) => setFilter('q', value)} />
      <Choice name="state" label={t('State')} choices={[['', t('Open')], ['new', t('New')], ['taken', t('Taken')], ['closed', t('Closed')], ['all', t('All')]]} />
      <Choice name="severity" label={t('From')} choices={[['', t('Info')], ['low', t('Low')], ['medium', t('Medium')], ['high', t('High')], ['critical', t('Critical')]]} />
      <Choice name="drill" label={t('Drills')} choices={[['', t('without drills')], ['all', t('with drills')], ['yes', t('only drills')]]} />
      {query.has('site') && <button type="button" onClick={() => setFilter('site', '')}>{t('All sites')}</button>}
      {query.has('host') && <button type="button" onClick={() => setFilter('host', '')}>{t('All hosts')}</button>}
    </form>
  );
}

interface BulkProps {
  alerts: Alert[];
  onAsk: (ask: Ask) => void;
  onDone: () => void;
}

function Bulk({ alerts, onAsk, onDone }: BulkProps) {
  const free = alerts.filter((alert) => alert.state === 'new');
  const open = alerts.filter((alert) => alert.state !== 'closed');
  const takeAll = async () => {
    try {
      for (const alert of free) await take(alert);
      onDone();
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  return (
    <div class="bulk" role="group" aria-label={t('Acts on the chosen')}>
      <b>{t('{0} chosen', number(alerts.length))}</b>
      <button disabled={free.length === 0} onClick={() => void takeAll()}>{t('Take {0}', number(free.length))}</button>
      <button disabled={open.length === 0} onClick={() => onAsk(closeAsk(open, onDone))}>{t('Close {0}', number(open.length))}</button>
      <button class="plain" onClick={onDone}>{t('Choose none')}</button>
    </div>
  );
}

/** What the API takes of the address; the rest of it is the page's own. */
function pathOf(query: URLSearchParams): string {
  const asked = new URLSearchParams({ limit: '100' });
  for (const name of ['q', 'state', 'severity', 'drill', 'host', 'site']) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  return `alerts?${asked.toString()}`;
}

export function Alerts() {
  const path = pathOf(route.value.query);
  const { value, from, error } = useData<Page<Alert>>(path, ['alerts']);
  const [more, setMore] = useState<Page<Alert> | null>(null);
  const [chosen, setChosen] = useState<Set<number>>(new Set());
  const [ask, setAsk] = useState<Ask | null>(null);
  useEffect(() => {
    setMore(null);
    setChosen(new Set());
  }, [path]);
  const first = value?.items ?? [];
  const last = first[first.length - 1]?.number ?? 0;
  const list = useSteady([...first, ...(more?.items ?? []).filter((alert) => alert.number < last)], (alert) => alert.number, from ?? '');
  const next = more ? more.next : (value?.next ?? null);

  const loadMore = async () => {
    try {
      const page = await get<Page<Alert>>(`${path}&cursor=${encodeURIComponent(next ?? '')}`);
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  const choose = (numbers: number[], is: boolean) => {
    const set = new Set(chosen);
    for (const each of numbers) {
      if (is) set.add(each);
      else set.delete(each);
    }
    setChosen(set);
  };
  const picked = list.rows.filter((alert) => chosen.has(alert.number));
  return (
    <main>
      <h1>{t('Alerts')}</h1>
      <Filters />
      {error && <p role="alert" class="error">{error}</p>}
      {picked.length > 0 && <Bulk alerts={picked} onAsk={setAsk} onDone={() => setChosen(new Set())} />}
      {value && list.rows.length === 0 && <p class="calm" role="status">{t('Nothing matches.')}</p>}
      {list.rows.length > 0 && <AlertTable list={list} page="alerts" chosen={chosen} onChoose={may('duty') ? choose : undefined} />}
      {next && <button onClick={() => void loadMore()}>{t('Older ones')}</button>}
      {route.value.id && <AlertSheet number={route.value.id} back={link('alerts', null, route.value.query)} key={route.value.id} />}
      {ask && (
        <Reason onCancel={() => setAsk(null)} ask={{
          ...ask,
          onDone: async (reason, verdict) => {
            await ask.onDone(reason, verdict);
            setAsk(null);
          },
        }} />
      )}
    </main>
  );
}
