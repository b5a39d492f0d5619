// One change of a page: who saw it, why it stands out, the text before and after, and whose it is.
import { useEffect } from 'preact/hooks';

import { wordsOf } from '../api';
import { useData } from '../data';
import { number, t } from '../i18n';
import { addKeys } from '../keys';
import { tell } from '../notice';
import { may } from '../session';
import { sayIncident, sayOurs, verdictState, viewWord, type Change, type Check } from '../sites';
import { BeforeAfter } from './BeforeAfter';
import { SiteMark } from './SiteMark';
import { Time } from './Time';

function decisionWord(change: Change): string {
  const words: Record<Change['decision'], string> = {
    none: '', held: t('{0} said: ours, learned in ten seconds', change.decided_by), ours: t('{0} said: ours, learned', change.decided_by),
    incident: t('{0} said: an incident', change.decided_by) };
  return words[change.decision];
}

const isOpen = (change: Change): boolean => change.decision === 'none' && (change.verdict === 'red' || change.verdict === 'yellow');

function Decide({ change, onDone }: { change: Change; onDone: () => void }) {
  const run = (act: (change: Change) => Promise<void>) => () => void act(change).then(onDone, (reason: unknown) => tell(wordsOf(reason), undefined, true));
  useEffect(
    () =>
      may('duty') && isOpen(change)
        ? addKeys([
          { key: 'i', what: t('Incident'), run: run(sayIncident) },
          { key: 'o', what: t('This is ours'), run: run(sayOurs) },
        ])
        : undefined,
    [change.number, change.decision],
  );
  if (change.decision !== 'none') {
    return <p role="status"><b>{decisionWord(change)}</b>{change.decided_why && <span class="quiet"> “{change.decided_why}”</span>} · <Time when={change.decided} /></p>;
  }
  if (!may('duty') || !isOpen(change)) return null;
  return (
    <div class="acts" role="group" aria-label={t('Whose change is it?')}>
      <button class="danger" onClick={run(sayIncident)}>{t('Incident')}</button>
      <button onClick={run(sayOurs)}>{t('This is ours')}</button>
    </div>
  );
}

function Reasons({ check }: { check: Check }) {
  const score = (value: number): string => number(Math.round(value * 10) / 10);
  const start = check.score - check.why.reduce((sum, reason) => sum + reason.score, 0);
  if (check.why.length === 0) return null;
  return (
    <section aria-labelledby="change-why">
      <h3 id="change-why">{t('Why we think so')}</h3>
      <table class="plain why">
        <tbody>
          {check.why.map((reason, at) => (
            <tr key={at}>
              <td>
                {reason.text}{reason.value && <span class="quiet"> (<bdi>{reason.value}</bdi>)</span>}
                {reason.snippet && <code class="snippet">{reason.snippet}</code>}
                {reason.view !== check.view && <span class="quiet"> {t('seen by {0}', viewWord(reason.view))}</span>}
              </td>
              <td class="number">{reason.score > 0 ? `+${score(reason.score)}` : score(reason.score)}</td>
            </tr>
          ))}
          {Math.abs(start) >= 0.05 && (
            <tr>
              <td class="quiet">{t('Where every page starts: attacks are rare')}</td>
              <td class="number">{score(start)}</td>
            </tr>
          )}
          <tr class="sum">
            <td>{t('Score')}</td>
            <td class="number">{score(check.score)}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Text({ change }: { change: Change }) {
  const hasText = (change.before?.length ?? 0) > 0 || (change.after?.length ?? 0) > 0;
  if (!hasText) return <p class="quiet">{t('The text of this look was not kept.')}</p>;
  return <BeforeAfter before={change.before ?? []} after={change.after ?? []} />;
}

export function ChangeView({ site, number: id }: { site: number; number: number }) {
  const { value: change, from, error, reload } = useData<Change>(`sites/${site}/changes/${id}`, ['alerts', 'sites']);
  if (error) return <p role="alert" class="error">{error}</p>;
  if (!change || from !== `sites/${site}/changes/${id}`) return <div class="change waiting" />;
  const check = change.check;
  return (
    <div class="change">
      <p>
        <SiteMark state={verdictState(change.verdict, check?.failure ?? '')} /> <code class="address">{change.url}</code> · <Time when={change.time} />
        {check && <> · {t('seen by {0}', viewWord(check.view))}{check.confirmed && <> · {t('a second look said the same')}</>}</>}
      </p>
      <Decide change={change} onDone={reload} />
      {check && <Reasons check={check} />}
      <section aria-labelledby="change-text">
        <h3 id="change-text">{t('Before and after')}</h3>
        <Text change={change} />
      </section>
    </div>
  );
}
