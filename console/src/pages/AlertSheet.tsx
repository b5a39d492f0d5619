// One alert: what happened, why we think so, what was done, what to do now, the evidence.
import { useState } from 'preact/hooks';

import { post, type Action, type Alert, type Finding, type Process } from '../api';
import { Mark } from '../components/Mark';
import { Reason } from '../components/Reason';
import { Sheet } from '../components/Sheet';
import { Storyline } from '../components/Storyline';
import { Time } from '../components/Time';
import { stateWord } from '../components/AlertTable';
import { useData } from '../data';
import { number, t } from '../i18n';
import { go } from '../route';
import { may } from '../session';

interface Choice {
  act: string;
  label: string;
  consequence: string;
  isDangerous?: boolean;
  path: (alert: Alert) => string;
  body: (reason: string, verdict: string) => unknown;
  verdicts?: [string, string][];
}

const action = (name: string, label: string, consequence: string, isDangerous = false): Choice => ({
  act: name,
  label,
  consequence,
  isDangerous,
  path: (alert) => `alerts/${alert.number}/actions`,
  body: (reason) => ({ action: name, reason }),
});

function choices(alert: Alert, finding: Finding): Choice[] {
  const list: Choice[] = [];
  const isStopped = ['paused', 'stopped', 'restored'].includes(finding.action.kind);
  if (isStopped) {
    list.push(
      action('resume', t('Resume: false alarm'),
        t('The stopped processes go on and find the files exactly as they had left them.')),
      action('kill', t('End the processes'),
        t('{0} processes end. What they had not saved is gone.', Math.max(1, finding.group.length)), true),
    );
  }
  list.push(action('restore', t('Restore again'), t('Every file of this finding gets its kept original back.')));
  if (alert.state !== 'closed') {
    list.push({
      act: 'close',
      label: t('Close'),
      consequence: t('The alert leaves the watch screen. It can be opened again.'),
      path: (of) => `alerts/${of.number}/close`,
      body: (reason, verdict) => ({ reason, verdict }),
      verdicts: [['true', t('It was an attack')], ['false-alarm', t('It was a false alarm')], ['test', t('It was a test')]],
    });
  }
  return list;
}

function ProcessLine({ process }: { process: Process }) {
  return (
    <li>
      <code>{process.cmdline || process.exe}</code>
      <span class="quiet"> pid {process.pid} · {process.user}</span>
    </li>
  );
}

function outcomeWord(outcome: string): string {
  const words: Record<string, string> = {
    intact: t('intact'),
    encrypted: t('encrypted'),
    replaced: t('replaced by ciphertext'),
    deleted: t('deleted'),
    overwritten: t('overwritten'),
    product: t('made by the attacker'),
  };
  return words[outcome] ?? outcome;
}

function Evidence({ finding }: { finding: Finding }) {
  return (
    <>
      <h3>{t('Why')}</h3>
      <ul class="why">
        {finding.why.map((reason) => (
          <li key={reason.what}>
            {reason.text} <span class="quiet">{reason.value} · +{number(Math.round(reason.score * 10) / 10)}</span>
          </li>
        ))}
      </ul>
      <h3>{t('Process')}</h3>
      <ul class="tree">
        {[...(finding.process.ancestors ?? [])].reverse().map((process) => (
          <ProcessLine key={process.pid} process={process} />
        ))}
        <ProcessLine process={finding.process} />
      </ul>
      <h3>{t('Files')}</h3>
      <table class="files">
        <thead>
          <tr>
            <th scope="col">{t('Path')}</th>
            <th scope="col">{t('What became of it')}</th>
            <th scope="col">{t('Restored')}</th>
          </tr>
        </thead>
        <tbody>
          {finding.files.map((file) => (
            <tr key={file.path}>
              <td><code>{file.path}</code></td>
              <td>{outcomeWord(file.outcome)}</td>
              <td>{file.restored ? `✓ ${file.partial ? t('in part') : ''}` : file.outcome === 'product' ? '–' : '✕'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {finding.files_total > finding.files.length && (
        <p class="quiet">{t('{0} files in all; the first are named here.', number(finding.files_total))}</p>
      )}
    </>
  );
}

function History({ path }: { path: string }) {
  const { value } = useData<{ items: Action[] }>(path, ['actions', 'alerts']);
  if (!value || value.items.length === 0) return null;
  const words: Record<Action['state'], string> = {
    waiting: t('waits for the host'),
    sent: t('sent'),
    done: t('done'),
    failed: t('failed'),
    expired: t('expired'),
  };
  return (
    <>
      <h3>{t('What people did')}</h3>
      <ul class="history">
        {value.items.map((item) => (
          <li key={item.id}>
            <Time when={item.asked} /> {item.actor}: {item.action} · {words[item.state]}
            {item.reason && <span class="quiet"> “{item.reason}”</span>}
            {item.detail && <span class="quiet"> {item.detail}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

export function AlertSheet({ number: id, back }: { number: string; back: string }) {
  const { value: alert, error, reload } = useData<Alert>(`alerts/${id}`, ['alerts', 'actions']);
  const [choice, setChoice] = useState<Choice | null>(null);
  const [failure, setFailure] = useState('');
  const close = () => go(back);
  if (!alert) {
    return <Sheet title={`#${id}`} onClose={close}>{error && <p role="alert" class="error">{error}</p>}</Sheet>;
  }
  const finding = alert.findings?.[0];
  const take = async () => {
    try {
      await post(`alerts/${alert.number}/${alert.state === 'taken' ? 'release' : 'take'}`);
      setFailure('');
    } catch (problem) {
      setFailure(problem instanceof Error ? problem.message : String(problem));
    }
    reload();
  };
  return (
    <Sheet title={<><Mark severity={alert.severity} isWordy /> {alert.title}</>} onClose={close} isDrill={alert.drill}>
      <p>
        {alert.host_name} · <Time when={alert.first} /> · {stateWord(alert)} · #{alert.number}
        {alert.drill && <span class="tag">{t('Drill')}</span>}
      </p>
      {failure && <p role="alert" class="error">{failure}</p>}
      {finding && <Storyline finding={finding} />}
      {may('duty') && finding && (
        <div class="acts" role="group" aria-label={t('What to do now')}>
          {alert.state !== 'closed' && (
            <button class="primary" onClick={() => void take()}>{alert.state === 'taken' ? t('Give back') : t('Take it')}</button>
          )}
          {choices(alert, finding).map((each) => (
            <button key={each.act} class={each.isDangerous ? 'danger' : ''} onClick={() => setChoice(each)}>{each.label}</button>
          ))}
        </div>
      )}
      <History path={`alerts/${alert.number}/actions`} />
      {finding && <Evidence finding={finding} />}
      {choice && (
        <Reason title={choice.label} consequence={choice.consequence} act={choice.label}
          isDangerous={choice.isDangerous ?? false} verdicts={choice.verdicts ?? []} onCancel={() => setChoice(null)}
          onDone={async (reason, verdict) => {
            await post(choice.path(alert), choice.body(reason, verdict));
            setChoice(null);
            reload();
          }} />
      )}
    </Sheet>
  );
}
