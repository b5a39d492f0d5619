// Quy tắc: the rules for logs in force with how often they hit, what is noisy, the filters with what they keep back.
import { useEffect, useState } from 'preact/hooks';

import { get, wordsOf } from '../api';
import { walk } from '../components/AlertTable';
import { Choice } from '../components/Choice';
import { Mark } from '../components/Mark';
import { Reason, type Ask } from '../components/Reason';
import { Search } from '../components/Search';
import { Time } from '../components/Time';
import { useData } from '../data';
import { number, t } from '../i18n';
import { addKeys } from '../keys';
import { tell } from '../notice';
import { go, link, route, setFilter } from '../route';
import { dropAsk, severityOf, sourceWord, type Filter, type Noise, type Refusal, type Report, type Rule, type RuleList } from '../rules';
import { may } from '../session';
import { RuleSheet } from './RuleSheet';

function Row({ rule }: { rule: Rule }) {
  const href = link('rules', rule.id || rule.title, route.value.query);
  const count = (value: number) => (rule.silent ? '–' : number(value));
  return (
    <tr onClick={(event) => !(event.target as Element).closest('a') && go(href)}>
      <td>
        <Mark severity={severityOf(rule.level)} /> <a href={href}>{rule.title}</a>
        {rule.off && <span class="tag">{t('off')}</span>}
        <span class="narrow quiet">{sourceWord(rule.source)} · {t('{0} told, {1} kept back', count(rule.told), number(rule.kept_back))}</span>
      </td>
      <td class="wide">{sourceWord(rule.source)}{rule.correlation && <span class="quiet"> · {t('correlation')}</span>}</td>
      <td class="number wide">{count(rule.hits_today)}</td>
      <td class="number">{count(rule.hits)}</td>
      <td class="number wide">{count(rule.told)}</td>
      <td class="number wide">{number(rule.kept_back)}</td>
    </tr>
  );
}

function Table({ rules }: { rules: Rule[] }) {
  return (
    <table class="hosts rules">
      <thead>
        <tr>
          <th scope="col">{t('Rule')}</th>
          <th scope="col" class="wide">{t('Source')}</th>
          <th scope="col" class="number wide">{t('Hits today')}</th>
          <th scope="col" class="number">{t('7 days')}</th>
          <th scope="col" class="number wide">{t('Told')}</th>
          <th scope="col" class="number wide">{t('Kept back')}</th>
        </tr>
      </thead>
      <tbody>{rules.map((rule) => <Row key={rule.id || `${rule.file}:${rule.line}`} rule={rule} />)}</tbody>
    </table>
  );
}

function Most({ title, rows }: { title: string; rows: Noise[] }) {
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <ol class="noisy">
        {rows.slice(0, 5).map((row) => (
          <li key={row.title}>{row.id ? <a href={link('rules', row.id, route.value.query)}>{row.title}</a> : row.title} <b class="number">{number(row.count)}</b></li>
        ))}
      </ol>
    </section>
  );
}

function Noisy() {
  const { value } = useData<Report>('rules/report', ['rules', 'alerts']);
  if (!value || value.told.length + value.kept_back.length + value.false_alarms.length === 0) return null;
  return (
    <div class="noise">
      <Most title={t('Told most, 7 days')} rows={value.told} />
      <Most title={t('Kept back most, 7 days')} rows={value.kept_back} />
      <Most title={t('False alarms, 30 days')} rows={value.false_alarms} />
    </div>
  );
}

function filterState(filter: Filter): string {
  if (filter.dropped) return t('taken back');
  return filter.on ? t('in force') : t('ended');
}

function FilterRows({ onAsk }: { onAsk: (ask: Ask) => void }) {
  const { value, reload } = useData<{ items: Filter[] }>('filters', ['rules']);
  const [all, setAll] = useState(false);
  if (!value || value.items.length === 0) return null;
  return (
    <section aria-labelledby="rules-filters">
      <h2 id="rules-filters">{t('Filters')}</h2>
      <table class="filtered">
        <thead>
          <tr>
            <th scope="col">{t('Kept back')}</th>
            <th scope="col" class="wide">{t('Who and why')}</th>
            <th scope="col" class="wide">{t('Until')}</th>
            <th scope="col" class="number">{t('7 days')}</th>
            <th scope="col">{t('State')}</th>
          </tr>
        </thead>
        <tbody>
          {[...value.items.filter((filter) => filter.on), ...value.items.filter((filter) => !filter.on)].slice(0, all ? undefined : 5).map((filter) => (
            <tr key={filter.id} class={filter.on ? '' : 'quiet'}>
              <td><a href={link('rules', filter.rule, route.value.query)}>{filter.title}</a></td>
              <td class="wide">{filter.changed_by}: “{filter.reason}” · <Time when={filter.changed} /></td>
              <td class="wide">{filter.until ? <Time when={filter.until} /> : t('Without end')}</td>
              <td class="number">{number(filter.kept_back)}</td>
              <td>
                {filterState(filter)}
                {filter.on && may('duty') && <button class="rowact" onClick={() => onAsk(dropAsk(filter, reload))}>{t('Take back')}</button>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all && value.items.length > 5 && <p><button onClick={() => setAll(true)}>{t('All {0} filters', number(value.items.length))}</button></p>}
    </section>
  );
}

function Refusals({ rows }: { rows: Refusal[] }) {
  const refused = rows.filter((row) => !row.warning);
  if (refused.length === 0) return null;
  return (
    <details class="refusals">
      <summary><b class="high">▲ {t('{0} documents were refused', number(refused.length))}</b></summary>
      <ul>
        {refused.map((row, at) => <li key={at}><code>{row.file}:{row.line}</code> {row.title && `${row.title}: `}{row.reason}{row.remedy && `; ${row.remedy}`}</li>)}
      </ul>
    </details>
  );
}

function Filters() {
  const query = route.value.query;
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <Search value={query.get('q') ?? ''} hint={t('words of the title, or the id')} onChange={(value) => setFilter('q', value)} />
      <Choice name="show" label={t('Show')} choices={[['', t('All')], ['hit', t('that hit')], ['off', t('off')], ['own', t('your own')], ['file', t('from a file')], ['built-in', t('built in')]]} />
      <Choice name="level" label={t('Level')} choices={[['', t('All')], ['critical', t('Critical')], ['high', t('High')], ['medium', t('Medium')], ['low', t('Low')], ['informational', t('Info')]]} />
    </form>
  );
}

function pathOf(query: URLSearchParams): string {
  const asked = new URLSearchParams({ limit: '100' });
  for (const name of ['q', 'show', 'level']) {
    const value = query.get(name);
    if (value) asked.set(name, value);
  }
  return `rules?${asked.toString()}`;
}

export function Rules() {
  const path = pathOf(route.value.query);
  const { value, error } = useData<RuleList>(path, ['rules']);
  const [more, setMore] = useState<RuleList | null>(null);
  const [ask, setAsk] = useState<Ask | null>(null);
  useEffect(() => setMore(null), [path, value]);
  useEffect(() => addKeys([
    { key: 'j', what: t('Next'), run: () => walk(1) },
    { key: 'k', what: t('Previous'), run: () => walk(-1) },
  ]), []);
  const next = more ? more.next : (value?.next ?? null);
  const rules = [...(value?.items ?? []), ...(more?.items ?? [])];
  const loadMore = async () => {
    try {
      const page = await get<RuleList>(`${path}&cursor=${next ?? ''}`);
      setMore({ ...page, items: [...(more?.items ?? []), ...page.items] });
    } catch (reason) {
      tell(wordsOf(reason), undefined, true);
    }
  };
  return (
    <main>
      <h1>{t('Rules')}</h1>
      {error && <p role="alert" class="error">{error}</p>}
      {value && (
        <p class="quiet">
          {t('{0} rules and {1} correlations judge every entry of the logs', number(value.rules), number(value.correlations))} · {t('version')} <code>{value.version}</code>
        </p>
      )}
      {value && <Refusals rows={value.refusals} />}
      <Noisy />
      <FilterRows onAsk={setAsk} />
      <Filters />
      {value && rules.length === 0 && <p class="calm">{t('No rule is like that.')}</p>}
      {rules.length > 0 && <Table rules={rules} />}
      {next && <p><button onClick={() => void loadMore()}>{t('More rules')}</button></p>}
      {route.value.id && <RuleSheet id={route.value.id} key={route.value.id} />}
      {ask && (
        <Reason key={ask.title} onCancel={() => setAsk(null)} ask={{
          ...ask,
          onDone: async (reason, choice) => {
            await ask.onDone(reason, choice);
            setAsk(null);
          },
        }} />
      )}
    </main>
  );
}
