// What was done already: by the host at once, then by people; what still waits can be called off.
import { useEffect, useState } from 'preact/hooks';

import { actWord, callOff, isHeld } from '../acts';
import { wordsOf, type Action, type Alert, type Finding } from '../api';
import { useData } from '../data';
import { number, t } from '../i18n';
import { tell } from '../notice';
import { may } from '../session';
import { Time } from './Time';

function stateWord(action: Action): string {
  const words: Record<Action['state'], string> = {
    waiting: t('waits for the host'),
    sent: t('sent'),
    done: t('done'),
    failed: t('failed'),
    expired: t('expired'),
    canceled: t('called off'),
  };
  return words[action.state];
}

function Line({ alert, action, now }: { alert: Alert; action: Action; now: number }) {
  const off = () => void callOff(alert.number, action.id).catch((reason: unknown) => tell(wordsOf(reason), undefined, true));
  const left = Math.ceil((Date.parse(action.held_until) - now) / 1000);
  return (
    <li>
      <Time when={action.asked} /> {action.actor}: {actWord(action.action)} ·{' '}
      <b class={action.state === 'failed' ? 'high' : ''}>{isHeld(action, now) ? t('goes in {0} s', left) : stateWord(action)}</b>
      {action.reason && <span class="quiet"> “{action.reason}”</span>}
      {action.state === 'failed' && action.detail && <span> {action.detail}</span>}
      {may('duty') && action.state === 'waiting' && <button onClick={off}>{t('Call off')}</button>}
    </li>
  );
}

function atOnce(finding: Finding): string {
  const ms = number(Math.round(finding.action.ms));
  if (finding.action.kind === 'none') return t('Nothing: the host only detects.');
  if (finding.files_restored > 0) return t('Stopped after {0} ms, {1} files restored.', ms, number(finding.files_restored));
  return t('Stopped after {0} ms.', ms);
}

export function Done({ alert, finding }: { alert: Alert; finding: Finding }) {
  const { value } = useData<{ items: Action[] }>(`alerts/${alert.number}/actions`, ['actions', 'alerts']);
  const [now, setNow] = useState(Date.now());
  const items = value?.items ?? [];
  const isWaiting = items.some((item) => item.state === 'waiting');
  useEffect(() => {
    if (!isWaiting) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [isWaiting]);
  return (
    <section aria-labelledby="sheet-done">
      <h3 id="sheet-done" tabIndex={-1}>{t('What was done')}</h3>
      <ul class="history">
        {items.map((item) => <Line key={item.id} alert={alert} action={item} now={now} />)}
        <li><Time when={finding.time} /> {t('the host itself')}: {atOnce(finding)}</li>
      </ul>
    </section>
  );
}
