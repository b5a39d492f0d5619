// One alert as a row of 32 pixels, and how many like it stand under it.
import type { Alert } from '../api';
import { number, t } from '../i18n';
import { go } from '../route';
import { Mark } from './Mark';
import { Time } from './Time';

export function stateWord(alert: Alert): string {
  if (alert.state === 'new') return t('New');
  if (alert.state === 'taken') return t('Taken by {0}', alert.taken_by);
  return t('Closed');
}

/** What was done already, in three words. */
export function doneWord(alert: Alert): string {
  if (alert.site > 0) return alert.change > 0 ? t('see before and after') : t('see the site');
  if (alert.action === 'paused') return t('stopped, waits for you');
  if (alert.files_restored > 0) return t('stopped, {0} of {1} restored', number(alert.files_restored), number(alert.files_total));
  if (alert.action === 'resumed') return t('resumed');
  if (alert.action === 'killed') return t('ended');
  return alert.action === 'none' ? t('nothing was done') : t('stopped');
}

interface Props {
  alert: Alert;
  href: string;
  similar: number;
  isOpen: boolean;
  isUnder: boolean;
  isGone: boolean;
  isChosen?: boolean;
  /** Address of a small picture that shows what it is about. */
  picture?: string;
  onToggle: () => void;
  onChoose?: (is: boolean) => void;
  onTake?: () => void;
}

export function AlertRow({ alert, href, similar, isOpen, isUnder, isGone, isChosen, picture, onToggle, onChoose, onTake }: Props) {
  const classes = [alert.drill && 'drill', isUnder && 'under', isGone && 'gone', alert.action === 'paused' && alert.state !== 'closed' && 'asks'];
  const open = (event: MouseEvent) => {
    if (!(event.target as Element).closest('a, button, input')) go(href);
  };
  return (
    <tr data-number={alert.number} class={classes.filter(Boolean).join(' ')} onClick={open}>
      {onChoose && (
        <td class="tick">
          <input type="checkbox" checked={isChosen === true} aria-label={t('Choose #{0}', alert.number)}
            onChange={(event) => onChoose(event.currentTarget.checked)} />
        </td>
      )}
      <td class="what">
        <div class="cell">
          {picture && <img class="thumb" src={picture} alt={t('What the page looks like now')} width={40} height={30} />}
          <a href={href} title={alert.title}><Mark severity={alert.severity} /> {alert.title}</a>
          {alert.drill && <span class="tag">{t('Drill')}</span>}
          {similar > 0 && (
            <button class="tag" aria-expanded={isOpen} onClick={onToggle}>
              {isOpen ? '−' : '+'}{t('{0} similar', number(similar))}
            </button>
          )}
        </div>
        <span class="narrow quiet">{alert.host_name} · {doneWord(alert)} · {isGone ? t('no longer here') : stateWord(alert)}</span>
      </td>
      <td class="wide" title={alert.host_name}>{alert.host_name}</td>
      <td class="wide">{doneWord(alert)}</td>
      <td class="wide">
        {isGone ? t('no longer here') : stateWord(alert)}
        {onTake && alert.state !== 'closed' && (
          <button class="rowact" onClick={onTake}>{alert.state === 'taken' ? t('Give back') : t('Take it')}</button>
        )}
      </td>
      <td class="number wide">{number(alert.count)}</td>
      <td class="number"><Time when={alert.last} /></td>
    </tr>
  );
}
