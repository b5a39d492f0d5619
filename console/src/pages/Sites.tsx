// Trang web: the province's sites as a board of units and as one table, the gravest in sight; filters in the address.
import { useEffect, useState } from 'preact/hooks';

import { get, wordsOf, type Page } from '../api';
import { walk } from '../components/AlertTable';
import { Choice } from '../components/Choice';
import { Search } from '../components/Search';
import { SiteForm } from '../components/SiteForm';
import { SiteImport } from '../components/SiteImport';
import { SiteMark } from '../components/SiteMark';
import { Sparkline } from '../components/Sparkline';
import { Time } from '../components/Time';
import { UnitBoard } from '../components/UnitBoard';
import { useData } from '../data';
import { number, t } from '../i18n';
import { addKeys } from '../keys';
import { tell } from '../notice';
import { go, link, route, setFilter } from '../route';
import { may } from '../session';
import { certificate, services, serviceWord, siteState, type Site, type Unit } from '../sites';
import { SiteSheet } from './SiteSheet';

function Row({ site }: { site: Site }) {
  const href = link('sites', site.number, route.value.query);
  const state = siteState(site);
  const [days, tone] = certificate(site);
  return (
    <tr data-number={site.number} onClick={(event) => !(event.target as Element).closest('a') && go(href)}>
      <td><a href={href}>{site.name}</a><span class="narrow"><SiteMark state={state} /> <span class="quiet">{site.unit}</span></span></td>
      <td class="wide">{site.unit}</td>
      <td class="wide"><SiteMark state={state} /></td>
      <td class="wide"><Sparkline site={site} /></td>
      <td class={`number wide ${tone}`}>{days}</td>
      <td class={site.open_alerts > 0 ? 'number high' : 'number'}>{site.open_alerts > 0 ? `▲ ${number(site.open_alerts)}` : '0'}</td>
      <td class="number"><Time when={site.changed} /></td>
    </tr>
  );
}

function Table({ sites }: { sites: Site[] }) {
  return (
    <table class="hosts sites">
      <thead>
        <tr>
          <th scope="col">{t('Site')}</th>
          <th scope="col" class="wide">{t('Unit')}</th>
          <th scope="col" class="wide">{t('State')}</th>
          <th scope="col" class="wide">{t('Answers, 24 hours')}</th>
          <th scope="col" class="number wide">{t('Certificate')}</th>
          <th scope="col" class="number">{t('Alerts')}</th>
          <th scope="col" class="number">{t('Last changed')}</th>
        </tr>
      </thead>
      <tbody>{sites.map((site) => <Row key={site.number} site={site} />)}</tbody>
    </table>
  );
}

function Filters({ onAdd, onImport }: { onAdd: () => void; onImport: () => void }) {
  const query = route.value.query;
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <Search value={query.get('q') ?? ''} hint={t('name, address or unit')} onChange={(value) => setFilter('q', value)} />
      <Choice name="verdict" label={t('State')} choices={[['', t('All')], ['grave', t('to see to')], ['red', t('attacked')], ['yellow', t('odd')], ['unknown', t('unknown')]]} />
      <Choice name="service" label={t('What it is for')} choices={[['', t('All')], ...services.map((each): [string, string] => [each, serviceWord(each)])]} />
      {query.has('unit') && <button type="button" onClick={() => setFilter('unit', '')}>✕ {query.get('unit')}</button>}
      {may('admin') && <button type="button" class="primary" onClick={onAdd}>{t('Watch a site')}</button>}
      {may('admin') && <button type="button" onClick={onImport}>{t('Import a list')}</button>}
    </form>
  );
}

function pathOf(query: URLSearchParams): string {
  const asked = new URLSearchParams({ limit: '100' });
  for (const name of ['q', 'unit', 'service', 'verdict']) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  return `sites?${asked.toString()}`;
}

function useSites(path: string) {
  const { value, error, reload } = useData<Page<Site>>(path, ['sites', 'alerts']);
  const [more, setMore] = useState<Page<Site> | null>(null);
  useEffect(() => setMore(null), [path]);
  const next = more ? more.next : (value?.next ?? null);
  const loadMore = async () => {
    try {
      const page = await get<Page<Site>>(`${path}&cursor=${encodeURIComponent(next ?? '')}`);
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  return { isLoaded: value !== null, sites: [...(value?.items ?? []), ...(more?.items ?? [])], next, loadMore, error, reload };
}

export function Sites() {
  const query = route.value.query;
  const list = useSites(pathOf(query));
  const { value: units, reload: reloadUnits } = useData<{ items: Unit[] }>('sites/units', ['sites']);
  const [open, setOpen] = useState<'' | 'form' | 'import'>('');
  const isFiltered = ['q', 'unit', 'service', 'verdict'].some((name) => query.has(name));
  const reload = () => {
    list.reload();
    reloadUnits();
  };
  useEffect(() => addKeys([{ key: 'j', what: t('Next'), run: () => walk(1) }, { key: 'k', what: t('Previous'), run: () => walk(-1) }]), []);
  useEffect(() => (may('admin') ? addKeys([{ key: 'w', what: t('Watch a site'), run: () => setOpen('form') }]) : undefined), []);
  return (
    <main>
      <h1>{t('Sites')}</h1>
      {(units?.items ?? []).length > 0 && <UnitBoard units={units!.items} />}
      <Filters onAdd={() => setOpen('form')} onImport={() => setOpen('import')} />
      {list.error && <p role="alert" class="error">{list.error}</p>}
      {list.isLoaded && list.sites.length === 0 && <p class="calm" role="status">{isFiltered ? t('Nothing matches.') : t('No site is watched yet.')}</p>}
      {list.sites.length > 0 && <Table sites={list.sites} />}
      {list.next && <p><button onClick={() => void list.loadMore()}>{t('More sites')}</button></p>}
      {route.value.id && <SiteSheet id={route.value.id} key={route.value.id} />}
      {open === 'form' && <SiteForm site={null} units={(units?.items ?? []).map((unit) => unit.name)} onDone={() => { setOpen(''); reload(); }} onCancel={() => setOpen('')} />}
      {open === 'import' && <SiteImport onDone={reload} onCancel={() => setOpen('')} />}
    </main>
  );
}
