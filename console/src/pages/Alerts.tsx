// Cảnh báo: one table of all alerts, filters in the address, more on demand, acts on many at once.
import { useEffect, useState } from 'preact/hooks';

import { get, type Alert, type Page } from '../api';
import { AlertTable } from '../components/AlertTable';
import { useData } from '../data';
import { t } from '../i18n';
import { link, route, setFilter } from '../route';
import { AlertSheet } from './AlertSheet';

function Filters() {
  const query = route.value.query;
  const select = (name: string, label: string, choices: [string, string][]) => (
    <label>
      {label}
      <select value={query.get(name) ?? ''} onChange={(event) => setFilter(name, event.currentTarget.value)}>
        {choices.map(([value, word]) => (
          <option key={value} value={value}>{word}</option>
        ))}
      </select>
    </label>
  );
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        {t('Search')}
        <input type="search" id="search" value={query.get('q') ?? ''} placeholder={t('words, host, with or without dấu')}
          onInput={(event) => setFilter('q', event.currentTarget.value.normalize('NFC'))} />
      </label>
      {select('state', t('State'), [['', t('Open')], ['new', t('New')], ['taken', t('Taken')], ['closed', t('Closed')], ['all', t('All')]])}
      {select('severity', t('From'), [['', t('Info')], ['low', t('Low')], ['medium', t('Medium')], ['high', t('High')], ['critical', t('Critical')]])}
      {select('drill', t('Drills'), [['', t('without drills')], ['all', t('with drills')], ['yes', t('only drills')]])}
    </form>
  );
}

export function Alerts() {
  const query = new URLSearchParams(route.value.query);
  query.set('limit', '100');
  const path = `alerts?${query.toString()}`;
  const { value, error } = useData<Page<Alert>>(path, ['alerts']);
  const [more, setMore] = useState<Page<Alert> | null>(null);
  useEffect(() => setMore(null), [path, value]);
  const items = [...(value?.items ?? []), ...(more?.items ?? [])];
  const next = more ? more.next : (value?.next ?? null);

  const loadMore = async () => {
    const page = await get<Page<Alert>>(`${path}&cursor=${encodeURIComponent(next ?? '')}`);
    setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
  };
  return (
    <main>
      <h1>{t('Alerts')}</h1>
      <Filters />
      {error && <p role="alert" class="error">{error}</p>}
      {value && items.length === 0 && <p class="calm">{t('Nothing matches.')}</p>}
      {items.length > 0 && <AlertTable alerts={items} page="alerts" />}
      {next && <button onClick={() => void loadMore()}>{t('Older ones')}</button>}
      {route.value.id && <AlertSheet number={route.value.id} back={link('alerts', null, route.value.query)} key={route.value.id} />}
    </main>
  );
}
