// Máy: every host, how its shield stands and when it last spoke.
import { useEffect, useState } from 'preact/hooks';

import { get, wordsOf, type Host, type Page } from '../api';
import { Search } from '../components/Search';
import { Time } from '../components/Time';
import { useData } from '../data';
import { fold, number, t } from '../i18n';
import { tell } from '../notice';
import { go, link, route, setFilter } from '../route';
import { may } from '../session';
import { HostSheet, hostState, sensorWord, shieldWord } from './HostSheet';
import { Sources } from './Sources';

function Row({ host }: { host: Host }) {
  const href = link('hosts', host.id, route.value.query);
  const unknown = host.state === 'sender' ? '–' : t('not known'); // a sender has no agent to say it
  const tone = host.state === 'silent' ? 'medium' : host.state === 'connected' ? 'good' : 'quiet';
  return (
    <tr onClick={() => go(href)}>
      <td><a href={href}>{host.name}</a><span class={`narrow ${tone}`}>{hostState(host)}</span></td>
      <td class={`wide ${tone}`}>{hostState(host)}</td>
      <td class="wide">{host.status ? shieldWord(host.status.shield) : unknown}</td>
      <td class="wide">{host.status ? sensorWord(host.status.process_sensor) : unknown}</td>
      <td class={host.open_alerts > 0 ? 'number high' : 'number'}>{number(host.open_alerts)}</td>
      <td class="number wide">{host.status ? number(host.status.vault_versions) : '–'}</td>
      <td class="number"><Time when={host.seen} /></td>
    </tr>
  );
}

function Views({ isSources }: { isSources: boolean }) {
  return (
    <nav class="parts" aria-label={t('What is shown')}>
      <a href={link('hosts')} aria-current={isSources ? undefined : 'page'}>{t('Hosts')}</a>
      <a href={link('hosts', null, { view: 'sources' })} aria-current={isSources ? 'page' : undefined}>{t('Sources of logs')}</a>
    </nav>
  );
}

export function Hosts() {
  const isSources = route.value.query.get('view') === 'sources';
  return (
    <main>
      <h1>{isSources ? t('Sources of logs') : t('Hosts')}</h1>
      <Views isSources={isSources} />
      {isSources ? <Sources /> : <HostList />}
      {route.value.id && <HostSheet id={route.value.id} key={route.value.id} />}
    </main>
  );
}

function HostList() {
  const { value, error } = useData<Page<Host>>('hosts?limit=200', ['hosts', 'alerts']);
  const [more, setMore] = useState<Page<Host> | null>(null);
  useEffect(() => setMore(null), [value]);
  const next = more ? more.next : (value?.next ?? null);
  const words = route.value.query.get('q') ?? '';
  const all = [...(value?.items ?? []), ...(more?.items ?? [])];
  const hosts = all.filter((host) => fold(`${host.name} ${host.status?.address ?? ''}`).includes(fold(words)));
  const loadMore = async () => {
    try {
      const page = await get<Page<Host>>(`hosts?limit=200&cursor=${encodeURIComponent(next ?? '')}`);
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Search value={words} hint={t('name or address')} onChange={(value) => setFilter('q', value)} />
      </form>
      {error && <p role="alert" class="error">{error}</p>}
      {value && all.length === 0 && (
        <p class="calm">{may('admin') ? <a href={link('settings', 'tokens')}>{t('No host yet: make a token to enrol one.')}</a> : t('No host yet. An administrator enrols them.')}</p>
      )}
      {all.length > 0 && hosts.length === 0 && <p class="calm" role="status">{t('Nothing matches.')}</p>}
      {hosts.length > 0 && (
        <table class="hosts">
          <thead>
            <tr>
              <th scope="col">{t('Host')}</th>
              <th scope="col" class="wide">{t('State')}</th>
              <th scope="col" class="wide">{t('Shield')}</th>
              <th scope="col" class="wide">{t('Process events from')}</th>
              <th scope="col" class="number">{t('Alerts')}</th>
              <th scope="col" class="number wide">{t('Copies kept')}</th>
              <th scope="col" class="number">{t('Last seen')}</th>
            </tr>
          </thead>
          <tbody>{hosts.map((host) => <Row key={host.id} host={host} />)}</tbody>
        </table>
      )}
      {next && <p>{words && <span class="quiet">{t('Searched in the first {0} hosts.', number(all.length))} </span>}<button onClick={() => void loadMore()}>{t('More hosts')}</button></p>}
    </>
  );
}
