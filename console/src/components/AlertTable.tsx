// One table of alerts: what happened is the link, the row's acts appear on focus, j and k walk, rows never move under
// the pointer. Similar small things stand under their newest; what is critical or waits for a person never hides.
import { Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { wordsOf, type Alert } from '../api';
import { take } from '../acts';
import { t } from '../i18n';
import { addKeys } from '../keys';
import { tell } from '../notice';
import { link, route } from '../route';
import { may } from '../session';
import { pictureFile, type AlertPicture } from '../sites';
import type { Steady } from '../steady';
import { AlertRow } from './AlertRow';
import { NewBar } from './NewBar';

interface Props {
  list: Steady<Alert>;
  page: string;
  pictures?: AlertPicture[];
  /** Rows can be chosen: numbers, and how they change. */
  chosen?: Set<number>;
  onChoose?: (numbers: number[], is: boolean) => void;
}

interface Group {
  first: Alert;
  rest: Alert[];
}

export function groupAlerts(alerts: Alert[]): Group[] {
  const groups: Group[] = [];
  const known = new Map<string, Group>();
  for (const alert of alerts) {
    const key = [alert.topic, alert.detector, alert.drill, alert.state === 'closed'].join('\n');
    const stands = alert.severity === 'critical' || alert.action === 'paused';
    const group = stands ? undefined : known.get(key);
    if (group) {
      group.rest.push(alert);
      continue;
    }
    const made = { first: alert, rest: [] };
    groups.push(made);
    if (!stands) known.set(key, made);
  }
  return groups;
}

const rowOf = (element: Element | null): HTMLElement | null => element?.closest<HTMLElement>('tr[data-number]') ?? null;

/** Through all tables of the page. */
export function walk(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main tr[data-number]')];
  const at = rows.indexOf(rowOf(document.activeElement)!);
  rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.querySelector('a')?.focus();
}

function pictureOf(pictures: AlertPicture[] | undefined, alert: Alert): string | undefined {
  const found = pictures?.find((each) => each.alert === alert.number);
  return found && pictureFile(found.site, found.picture);
}

export function AlertTable({ list, page, pictures, chosen, onChoose }: Props) {
  const [open, setOpen] = useState<Set<number>>(new Set());
  const latest = useRef({ list, chosen, onChoose });
  latest.current = { list, chosen, onChoose };

  const focused = (): Alert | undefined =>
    latest.current.list.rows.find((alert) => String(alert.number) === rowOf(document.activeElement)?.dataset['number']);
  const takeRow = (alert: Alert | undefined) => {
    if (!alert) return false;
    if (alert.state !== 'closed' && may('duty')) take(alert).catch((reason: unknown) => tell(wordsOf(reason), undefined, true));
    return true;
  };
  const showNew = () => {
    latest.current.list.take();
    return false; // the other table of the page too
  };
  useEffect(
    () =>
      addKeys([
        { key: 'j', what: t('Next'), run: () => walk(1) },
        { key: 'k', what: t('Previous'), run: () => walk(-1) },
        { key: 'n', what: t('Show what is new'), run: showNew },
        ...(may('duty') ? [{ key: 'a', what: t('Take the chosen row, or give it back'), run: () => takeRow(focused()) }] : []),
        ...(onChoose
          ? [{
            key: 'x',
            what: t('Choose the row'),
            run: () => {
              const alert = focused();
              if (!alert) return false;
              latest.current.onChoose?.([alert.number], !latest.current.chosen?.has(alert.number));
              return true;
            },
          }]
          : []),
      ]),
    [],
  );
  const toggle = (alert: Alert) => {
    const next = new Set(open);
    if (!next.delete(alert.number)) next.add(alert.number);
    setOpen(next);
  };
  const all = list.rows.map((alert) => alert.number);
  const row = (alert: Alert, group?: Group) => (
    <AlertRow alert={alert} href={link(page, alert.number, page === route.value.page ? route.value.query : undefined)}
      similar={group ? group.rest.length : 0} isOpen={open.has(alert.number)} onToggle={() => toggle(alert)} isUnder={!group}
      isGone={list.gone.has(alert.number)} isChosen={chosen?.has(alert.number)} picture={pictureOf(pictures, alert)}
      onChoose={onChoose && ((is) => onChoose([alert.number, ...(group && !open.has(alert.number) ? group.rest.map((each) => each.number) : [])], is))}
      onTake={may('duty') ? () => void takeRow(alert) : undefined} />
  );
  return (
    <div {...list.hold}>
      <NewBar waiting={list.waiting} onTake={list.take} />
      <table class="alerts">
        <thead>
          <tr>
            {onChoose && (
              <th scope="col" class="tick">
                <input type="checkbox" aria-label={t('Choose all')} checked={all.length > 0 && all.every((each) => chosen?.has(each))}
                  onChange={(event) => onChoose(all, event.currentTarget.checked)} />
              </th>
            )}
            <th scope="col">{t('What happened')}</th>
            <th scope="col" class="wide where">{t('Where')}</th>
            <th scope="col" class="wide done">{t('Done already')}</th>
            <th scope="col" class="wide">{t('State')}</th>
            <th scope="col" class="number wide">{t('Times')}</th>
            <th scope="col" class="number">{t('Last')}</th>
          </tr>
        </thead>
        <tbody>
          {groupAlerts(list.rows).map((group) => (
            <Fragment key={group.first.number}>
              {row(group.first, group)}
              {open.has(group.first.number) && group.rest.map((alert) => <Fragment key={alert.number}>{row(alert)}</Fragment>)}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}
