// One alert: what happened in a sentence, what to decide, the picture, what was done, why we think so, the evidence, what
// is related.
import { useEffect, useRef, useState } from 'preact/hooks';

import { closeAsk, closeWord, reopen, sheetAsks, take } from '../acts';
import { wordsOf, type Alert, type Finding, type Page } from '../api';
import { doneWord, stateWord } from '../components/AlertRow';
import { ChangeView } from '../components/ChangeView';
import { Done } from '../components/Done';
import { Evidence } from '../components/Evidence';
import { KeepBack } from '../components/KeepBack';
import { Mark } from '../components/Mark';
import { Meaning } from '../components/Meaning';
import { firstToShow, Occurrences } from '../components/Occurrences';
import { Pictures } from '../components/Pictures';
import { Reason, type Ask } from '../components/Reason';
import { Seen } from '../components/Seen';
import { Sheet } from '../components/Sheet';
import { Storyline } from '../components/Storyline';
import { Time } from '../components/Time';
import { useData } from '../data';
import { number, t } from '../i18n';
import { addKeys } from '../keys';
import { tell } from '../notice';
import { go, link } from '../route';
import { may } from '../session';

function sentence(alert: Alert, finding: Finding): string {
  const program = finding.process.exe.slice(finding.process.exe.lastIndexOf('/') + 1) || finding.process.cmdline;
  const parts = [t('{0}, run by {1} on {2}, touched {3} files', program || `pid ${finding.process.pid}`, finding.process.user, alert.host_name, number(finding.files_total))];
  if (finding.action.kind !== 'none') parts.push(t('it was stopped after {0} ms', number(Math.round(finding.action.ms))));
  parts.push(finding.files_restored > 0 ? t('{0} are restored', number(finding.files_restored)) : t('none is restored yet'));
  return `${parts.join('; ')}.`;
}

function Decision({ alert, finding, onAsk, onTake }: { alert: Alert; finding: Finding; onAsk: (ask: Ask) => void; onTake: () => void }) {
  const waits = finding.action.kind === 'paused' && alert.state !== 'closed';
  const asks = sheetAsks(alert, finding, () => {});
  const takeWord = alert.state === 'taken' ? t('Give back') : t('Take it');
  return (
    <section class={waits ? 'decision' : ''} aria-labelledby="sheet-do">
      <h3 id="sheet-do">{waits ? t('Waiting for your decision') : t('What to do now')}</h3>
      {waits && <p>{may('duty') ? t('The processes stand still and change nothing until you decide.') : t('The processes stand still until somebody on duty decides.')}</p>}
      {may('duty') && (
        <div class="acts" role="group" aria-labelledby="sheet-do">
          {!waits && alert.state !== 'closed' && <button class="primary" onClick={onTake}>{takeWord}</button>}
          {asks.map((ask) => <button key={ask.act} class={ask.isDangerous ? 'danger' : ''} onClick={() => onAsk(ask)}>{ask.act}</button>)}
          {waits && <button onClick={onTake}>{takeWord}</button>}
          {alert.state !== 'closed' && <button onClick={() => onAsk(closeAsk([alert], () => {}))}>{t('Close')}</button>}
          {alert.state === 'closed' && <button onClick={() => void reopen(alert).catch((reason: unknown) => tell(wordsOf(reason), undefined, true))}>{t('Open again')}</button>}
        </div>
      )}
      {!may('duty') && !waits && <p class="quiet">{t('You may look; acting takes the role Duty.')}</p>}
    </section>
  );
}

function Related({ alert }: { alert: Alert }) {
  const whose = alert.site > 0 ? `site=${alert.site}` : alert.host && `host=${alert.host}`;
  const { value } = useData<Page<Alert>>(whose ? `alerts?${whose}&state=all&drill=all&limit=6` : null, ['alerts']);
  const others = (value?.items ?? []).filter((other) => other.number !== alert.number).slice(0, 5);
  return (
    <section aria-labelledby="sheet-related">
      <h3 id="sheet-related">{t('Related')}</h3>
      <ul class="related">
        {others.map((other) => (
          <li key={other.number}>
            <a href={link('alerts', other.number, { state: 'all', drill: 'all' })}><Mark severity={other.severity} /> {other.title}</a>
            {other.drill && <span class="tag">{t('Drill')}</span>} <span class="quiet">{doneWord(other)} · {stateWord(other)} · <Time when={other.last} /></span>
          </li>
        ))}
        <li><a href={link('alerts', null, { q: alert.topic, state: 'all', drill: 'all' })}>{alert.site > 0 ? t('The same on other sites') : t('The same on other hosts')}</a></li>
      </ul>
    </section>
  );
}

function Where({ alert }: { alert: Alert }) {
  if (alert.site > 0) return <a href={link('sites', alert.site, alert.change > 0 ? { change: String(alert.change) } : {})}>{alert.host_name}</a>;
  return alert.host ? <a href={link('hosts', alert.host)}>{alert.host_name}</a> : <>{alert.host_name}</>;
}

export function AlertSheet({ number: id, back }: { number: string; back: string }) {
  const { value: alert, error, reload } = useData<Alert>(`alerts/${id}`, ['alerts', 'actions']);
  const [ask, setAsk] = useState<Ask | null>(null);
  const [picked, setPicked] = useState('');
  const latest = useRef<Alert | null>(null);
  latest.current = alert;
  const close = () => go(back);
  const takeIt = () => {
    const now = latest.current;
    if (!now || now.state === 'closed') return;
    take(now).then(reload, (reason: unknown) => {
      tell(wordsOf(reason), undefined, true);
      reload();
    });
  };
  useEffect(
    () =>
      may('duty')
        ? addKeys([
          { key: 'a', what: t('Take it, or give it back'), run: takeIt },
          { key: 'c', what: t('Close the alert'), run: () => latest.current && latest.current.state !== 'closed' && setAsk(closeAsk([latest.current], () => {})) },
        ])
        : undefined,
    [],
  );
  if (!alert) {
    return <Sheet title={`#${id}`} onClose={close}>{error && <p role="alert" class="error">{error}</p>}</Sheet>;
  }
  const findings = (alert.findings ?? []).filter(Boolean);
  const finding = findings.find((each) => each.id === picked) ?? firstToShow(findings);
  const waits = finding?.action.kind === 'paused' && alert.state !== 'closed';
  const why = (what: string) => finding?.why.find((reason) => reason.what === what)?.value ?? '';
  const decision = finding && <Decision alert={alert} finding={finding} onTake={takeIt} onAsk={setAsk} />;
  return (
    <Sheet title={<><Mark severity={alert.severity} isWordy /> {alert.title}</>} onClose={close} isDrill={alert.drill}>
      <p class="quiet">
        #{alert.number} · <Where alert={alert} /> · <Time when={alert.first} />
        {alert.count > 1 && <> · {t('{0} times', number(alert.count))}</>} · {stateWord(alert)}
        {alert.close_reason && ` (${closeWord(alert.close_reason)})`}
      </p>
      {finding && finding.files_total > 0 && <p class="sentence">{sentence(alert, finding)}</p>}
      {finding && <Occurrences findings={findings} shown={finding} onShow={setPicked} />}
      {waits && decision}
      {finding && finding.files_total > 0 && <Storyline finding={finding} />}
      {!waits && decision}
      {finding && alert.site > 0 && finding.change !== undefined && finding.change > 0 && <ChangeView key={finding.change} site={alert.site} number={finding.change} />}
      {alert.site > 0 && <Pictures site={alert.site} />}
      {finding && alert.site === 0 && finding.files_total === 0 && <Seen alert={alert} finding={finding} />}
      {why('log_rule') && <Meaning key={why('log_rule')} rule={why('log_rule')} tags={why('log_tags').split(' ')} />}
      {finding && finding.detector === 'logs' && may('duty') && <KeepBack alert={alert} finding={finding} />}
      {finding && alert.site === 0 && finding.detector !== 'logs' && <Done alert={alert} finding={finding} />}
      {finding && finding.files_total > 0 && <Evidence finding={finding} />}
      <Related alert={alert} />
      {ask && (
        <Reason key={ask.title} onCancel={() => setAsk(null)} ask={{
          ...ask,
          onDone: async (reason, verdict) => {
            await ask.onDone(reason, verdict);
            setAsk(null);
            reload();
          },
        }} />
      )}
    </Sheet>
  );
}
