// One table of alerts: what happened is the link, the row's acts appear on focus, j and k walk.
import { useEffect, useRef } from 'preact/hooks';

import type { Alert } from '../api';
import { number, t } from '../i18n';
import { addKeys } from '../keys';
import { go, link } from '../route';
import { Mark } from './Mark';
import { Time } from './Time';

export function stateWord(alert: Alert): string {
  if (alert.state === 'new') return t('New');
  if (alert.state === 'taken') return t('Taken by {0}', alert.taken_by);
  return t('Closed');
}

/** What was done already, in three words. */
export function doneWord(alert: Alert): string {
  if (alert.files_restored > 0) return t('stopped, {0} of {1} restored', number(alert.files_restored), number(alert.files_total));
  if (alert.action === 'paused') return t('stopped, waits for you');
  if (alert.action === 'resumed') return t('resumed');
  if (alert.action === 'killed') return t('ended');
  return alert.action === 'none' ? t('nothing was done') : t('stopped');
}

function walk(table: HTMLElement | null, by: number): void {
  const links = [...(table?.querySelectorAll<HTMLElement>('tbody a') ?? [])];
  const at = links.indexOf(document.activeElement as HTMLElement);
  links[Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
}

export function AlertTable({ alerts, page }: { alerts: Alert[]; page: string }) {
  const table = useRef<HTMLTableElement>(null);
  useEffect(
    () =>
      addKeys([
        { key: 'j', what: t('Next'), run: () => walk(table.current, 1) },
        { key: 'k', what: t('Previous'), run: () => walk(table.current, -1) },
      ]),
    [],
  );
  return (
    <table ref={table} class="alerts">
      <thead>
        <tr>
          <th scope="col">{t('What happened')}</th>
          <th scope="col">{t('Host')}</th>
          <th scope="col" class="wide">{t('Done already')}</th>
          <th scope="col" class="wide">{t('State')}</th>
          <th scope="col" class="number">{t('Times')}</th>
          <th scope="col" class="number">{t('Last')}</th>
        </tr>
      </thead>
      <tbody>
        {alerts.map((alert) => (
          <tr key={alert.number} class={alert.drill ? 'drill' : ''} onClick={() => go(link(page, alert.number))}>
            <td>
              <a href={link(page, alert.number)} onClick={(event) => event.stopPropagation()}>
                <Mark severity={alert.severity} /> {alert.title}
              </a>
              {alert.drill && <span class="tag">{t('Drill')}</span>}
            </td>
            <td>{alert.host_name}</td>
            <td class="wide">{doneWord(alert)}</td>
            <td class="wide">{stateWord(alert)}</td>
            <td class="number">{number(alert.count)}</td>
            <td class="number"><Time when={alert.last} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
