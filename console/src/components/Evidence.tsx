// What an alert rests on: reasons with their scores, the processes, the files.
import type { Finding, Process } from '../api';
import { number, t } from '../i18n';

function ProcessLine({ process, depth, isIt }: { process: Process; depth: number; isIt: boolean }) {
  return (
    <li class={`depth-${Math.min(depth, 6)}${isIt ? ' it' : ''}`}>
      <code title={process.exe}>{process.cmdline || process.exe}</code>
      <span class="quiet"> pid {process.pid} · {process.user}</span>
    </li>
  );
}

export function outcomeWord(outcome: string): string {
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

function valueWord(what: string, value: string): string {
  const breadths: Record<string, string> = {
    process: t('one process'),
    ancestor: t('processes of one parent'),
    session: t('processes of one log-in session'),
    exe: t('processes of one program'),
    cgroup: t('processes of one service'),
    uid: t('processes of one user'),
  };
  if (what === 'breadth') return breadths[value] ?? value;
  return what !== 'note' && /^\d+$/.test(value) ? t('{0} files', number(Number(value))) : value;
}

function Why({ finding }: { finding: Finding }) {
  const score = (value: number): string => number(Math.round(value * 10) / 10);
  return (
    <section aria-labelledby="sheet-why">
      <h3 id="sheet-why">{t('Why we think so')}</h3>
      <table class="plain">
        <tbody>
          {finding.why.map((reason) => (
            <tr key={reason.what}>
              <td>{reason.text} <span class="quiet">({valueWord(reason.what, reason.value)})</span></td>
              <td class="number">{reason.score > 0 ? `+${score(reason.score)}` : ''}</td>
            </tr>
          ))}
          <tr class="sum">
            <td>{t('Score')}</td>
            <td class="number">{score(finding.score)}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}

function Processes({ finding }: { finding: Finding }) {
  const line = [...(finding.process.ancestors ?? [])].reverse();
  const others = finding.group.filter((process) => process.pid !== finding.process.pid);
  return (
    <section aria-labelledby="sheet-process">
      <h3 id="sheet-process" tabIndex={-1}>{t('Process')}</h3>
      <ul class="tree">
        {[...line, finding.process].map((process, depth) => (
          <ProcessLine key={process.pid} process={process} depth={depth} isIt={process === finding.process} />
        ))}
      </ul>
      {others.length > 0 && (
        <details>
          <summary>{t('{0} more processes of the group', number(others.length))}</summary>
          <ul class="tree">
            {others.map((process) => <ProcessLine key={process.pid} process={process} depth={0} isIt={false} />)}
          </ul>
        </details>
      )}
    </section>
  );
}

function Files({ finding }: { finding: Finding }) {
  return (
    <section aria-labelledby="sheet-files">
      <h3 id="sheet-files" tabIndex={-1}>{t('Files')}</h3>
      <table class="files">
        <thead>
          <tr>
            <th scope="col">{t('Path')}</th>
            <th scope="col">{t('What became of it')}</th>
            <th scope="col">{t('Now')}</th>
          </tr>
        </thead>
        <tbody>
          {finding.files.map((file) => (
            <tr key={file.path}>
              <td><code>{file.path}</code></td>
              <td>{outcomeWord(file.outcome)}</td>
              <td>
                {file.restored && <span class="good">✓ {file.partial ? t('restored in part') : t('restored')}</span>}
                {!file.restored && file.outcome === 'product' && <span class="quiet">{t('kept as evidence')}</span>}
                {!file.restored && file.outcome !== 'product' && file.outcome !== 'intact' && <span class="high">▲ {t('not restored')}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {finding.files_total > finding.files.length && (
        <p class="quiet">{t('{0} files in all; the first are named here.', number(finding.files_total))}</p>
      )}
    </section>
  );
}

export function Evidence({ finding }: { finding: Finding }) {
  return (
    <>
      <Why finding={finding} />
      <Processes finding={finding} />
      <Files finding={finding} />
    </>
  );
}
