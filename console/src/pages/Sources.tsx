// Máy, seen by what writes logs: all sources of all hosts and senders, the longest silent first; filters in the address.
import { useEffect, useState } from 'preact/hooks';

import { get, wordsOf, type Page } from '../api';
import { LogAccount } from '../components/LogAccount';
import { Search } from '../components/Search';
import { SourceTable } from '../components/SourceTable';
import { useData } from '../data';
import { t } from '../i18n';
import { tell } from '../notice';
import { route, setFilter } from '../route';
import type { LogSource } from '../sources';

function pathOf(query: URLSearchParams): string {
  const asked = new URLSearchParams({ limit: '100' });
  for (const name of ['q', 'state']) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  return `sources?${asked.toString()}`;
}

export function Sources() {
  const query = route.value.query;
  const path = pathOf(query);
  const { value, error, reload } = useData<Page<LogSource>>(path, ['sources', 'hosts']);
  const [more, setMore] = useState<Page<LogSource> | null>(null);
  useEffect(() => setMore(null), [value]);
  const next = more ? more.next : (value?.next ?? null);
  const sources = [...(value?.items ?? []), ...(more?.items ?? [])];
  const isFiltered = query.has('q') || query.has('state');
  const loadMore = async () => {
    try {
      const page = await get<Page<LogSource>>(`${path}&cursor=${encodeURIComponent(next ?? '')}`);
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  return (
    <>
      <LogAccount />
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Search value={query.get('q') ?? ''} hint={t('name or host')} onChange={(text) => setFilter('q', text)} />
        <label>
          {t('State')}
          <select value={query.get('state') ?? ''} onChange={(event) => setFilter('state', event.currentTarget.value)}>
            {[['', t('All')], ['silent', t('silent')], ['speaking', t('as usual')], ['muted', t('not watched')]].map(([word, text]) => <option key={word} value={word}>{text}</option>)}
          </select>
        </label>
      </form>
      {error && <p role="alert" class="error">{error}</p>}
      {value && sources.length === 0 && (
        <p class="calm" role="status">{isFiltered ? t('Nothing matches.') : t('No log has come in yet: name one in the settings of an agent (log = PATH), or send it to us.')}</p>
      )}
      {sources.length > 0 && <SourceTable sources={sources} hasHost onChange={reload} />}
      {next && <p><button onClick={() => void loadMore()}>{t('More sources')}</button></p>}
    </>
  );
}
