// One rule: where it is from, how often it hits, who keeps back what of it; switched off and on here.
import { useState } from 'preact/hooks';

import { Document } from '../components/Document';
import { Mark } from '../components/Mark';
import { Meaning } from '../components/Meaning';
import { Reason, type Ask } from '../components/Reason';
import { Sheet } from '../components/Sheet';
import { Time } from '../components/Time';
import { useData } from '../data';
import { number, t } from '../i18n';
import { go, link, route } from '../route';
import { documentOf, dropAsk, dropRuleAsk, offAsk, onAsk, severityOf, sourceWord, type Filter, type Rule, type RuleList } from '../rules';
import { may } from '../session';

function Figures({ rule }: { rule: Rule }) {
  return (
    <dl class="figures">
      <div><dt>{t('Hits today')}</dt><dd>{number(rule.hits_today)}</dd></div>
      <div><dt>{t('Hits, 7 days')}</dt><dd>{number(rule.hits)}</dd></div>
      <div><dt>{t('Told, 7 days')}</dt><dd>{number(rule.told)}</dd></div>
      <div><dt>{t('Kept back, 7 days')}</dt><dd>{number(rule.kept_back)}</dd></div>
      <div><dt>{t('Source')}</dt><dd>{sourceWord(rule.source)} <code>{rule.source === 'own' ? '' : `${rule.file}:${rule.line}`}</code></dd></div>
      <div><dt>Id</dt><dd><code>{rule.id || '–'}</code></dd></div>
    </dl>
  );
}

function FiltersOf({ rule, onAsk: ask }: { rule: Rule; onAsk: (ask: Ask) => void }) {
  const { value, reload } = useData<{ items: Filter[] }>('filters', ['rules']);
  const mine = (value?.items ?? []).filter((filter) => filter.rule === rule.id && filter.on);
  if (mine.length === 0) return null;
  return (
    <section aria-labelledby="rule-filters">
      <h3 id="rule-filters">{t('Filters')}</h3>
      <ul class="history">
        {mine.map((filter) => (
          <li key={filter.id}>
            {filter.title.slice(filter.title.lastIndexOf(': ') + 2)} · {filter.changed_by}: “{filter.reason}” · {t('{0} kept back', number(filter.kept_back))}
            {filter.until && <> · {t('Until')} <Time when={filter.until} /></>}
            {may('duty') && <button onClick={() => ask(dropAsk(filter, reload))}>{t('Take back')}</button>}
            <Document id={filter.id} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function RuleSheet({ id }: { id: string }) {
  const { value, error, reload } = useData<RuleList>(`rules?q=${encodeURIComponent(id)}&limit=200`, ['rules']);
  const [ask, setAsk] = useState<Ask | null>(null);
  const rule = value?.items.find((each) => each.id === id || each.title === id);
  const close = () => go(link('rules', null, route.value.query));
  if (!value || !rule) return <Sheet title={id} onClose={close}>{error && <p role="alert" class="error">{error}</p>}{value && <p>{t('No rule is like that.')}</p>}</Sheet>;
  return (
    <Sheet title={<><Mark severity={severityOf(rule.level)} isWordy /> {rule.title}</>} onClose={close}>
      {rule.off && <p><b>{t('off')}</b> · {rule.changed_by}: “{rule.reason}” · <Time when={rule.changed} /></p>}
      {rule.silent && <p class="quiet">{t('It does not speak for itself: correlations count its hits.')}</p>}
      <Meaning rule={rule.id || rule.title} version={value.version} />
      <Figures rule={rule} />
      {may('admin') && rule.id && (
        <div class="acts">
          {rule.off ? <button onClick={() => setAsk(onAsk(rule, reload))}>{t('Switch on')}</button>
            : <button class="danger" onClick={() => setAsk(offAsk(rule, reload))}>{t('Switch off')}</button>}
          {rule.source === 'own' && <button class="danger" onClick={() => setAsk(dropRuleAsk(rule, reload))}>{t('Drop the rule')}</button>}
        </div>
      )}
      {rule.source === 'own' && <Document id={documentOf(rule)} />}
      <FiltersOf rule={rule} onAsk={setAsk} />
      {ask && (
        <Reason key={ask.title} onCancel={() => setAsk(null)} ask={{
          ...ask,
          onDone: async (reason, choice) => {
            await ask.onDone(reason, choice);
            setAsk(null);
          },
        }} />
      )}
    </Sheet>
  );
}
