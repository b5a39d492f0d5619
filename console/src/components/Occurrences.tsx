// An alert that came several times: each time is decided on its own; one that waits for a person stands out.
import type { Finding } from '../api';
import { number, t } from '../i18n';
import { Time } from './Time';

function stateWord(finding: Finding): string {
  const words: Record<string, string> = {
    paused: t('waits for you'),
    resumed: t('resumed'),
    killed: t('ended'),
    none: t('nothing was done'),
  };
  return words[finding.action.kind] ?? t('stopped, {0} of {1} restored', number(finding.files_restored), number(finding.files_total));
}

/** Which one is shown when nobody has chosen: what waits for a person, else the newest. */
export const firstToShow = (findings: Finding[]): Finding | undefined =>
  findings.find((finding) => finding.action.kind === 'paused') ?? findings[0];

export function Occurrences({ findings, shown, onShow }: { findings: Finding[]; shown: Finding; onShow: (id: string) => void }) {
  if (findings.length < 2) return null;
  return (
    <section aria-labelledby="sheet-times">
      <h3 id="sheet-times">{t('It came {0} times; choose one', number(findings.length))}</h3>
      <div class="times">
        {findings.map((finding) => (
          <button key={finding.id} aria-pressed={finding.id === shown.id} class={finding.action.kind === 'paused' ? 'danger' : ''} onClick={() => onShow(finding.id)}>
            <Time when={finding.time} /> · {stateWord(finding)}
          </button>
        ))}
      </div>
    </section>
  );
}
