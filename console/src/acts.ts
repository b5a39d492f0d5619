// What people can do about an alert: how each act is asked, what it leads to, and how it is taken back. Used by the
// sheet, by rows and by acts on many.
import { call, post, type Action, type Alert, type Finding } from './api';
import { number, t } from './i18n';
import { tell } from './notice';
import type { Ask } from './components/Reason';

export const verdicts = (): [string, string][] => [
  ['true', t('It was an attack')],
  ['false-alarm', t('It was a false alarm')],
  ['test', t('It was a test')],
];

/** "false-alarm: words", as the store keeps it, for a person. */
export function closeWord(reason: string): string {
  const [verdict = '', ...words] = reason.split(': ');
  const known = verdicts().find(([value]) => value === verdict)?.[1];
  return known ? [known, words.join(': ')].filter(Boolean).join(': ') : reason;
}

export function actWord(act: string): string {
  const words: Record<string, string> = {
    resume: t('Resume'),
    kill: t('End the processes'),
    restore: t('Restore'),
    'undo-restore': t('Undo the restore'),
  };
  return words[act] ?? act;
}

export const callOff = (alert: number, action: string): Promise<unknown> => post(`alerts/${alert}/actions/${action}/call-off`);

async function ask(alert: Alert, finding: Finding, action: string, reason: string): Promise<string> {
  return (await post<{ id: string }>(`alerts/${alert.number}/actions`, { action, reason, finding: finding.id })).id;
}

const holdTime = 10_000; // as the centre's ACTION_HOLD

/** Resuming and ending cannot be undone, so the centre holds them for ten seconds. */
async function askHeld(alert: Alert, finding: Finding, action: string, reason: string): Promise<void> {
  const id = await ask(alert, finding, action, reason);
  tell(t('{0} · {1}: goes to the host in ten seconds', actWord(action), alert.host_name), { label: t('Call off'), run: () => callOff(alert.number, id) }, false, holdTime);
}

async function askRestore(alert: Alert, finding: Finding, reason: string): Promise<void> {
  await ask(alert, finding, 'restore', reason);
  tell(t('{0} · {1}: asked for', actWord('restore'), alert.host_name), {
    label: t('Undo'),
    run: () => ask(alert, finding, 'undo-restore', t('taken back at once')),
  });
}

export async function take(alert: Alert): Promise<void> {
  const isTaken = alert.state === 'taken';
  await post(`alerts/${alert.number}/${isTaken ? 'release' : 'take'}`);
  tell(isTaken ? t('#{0} was given back', alert.number) : t('#{0} is yours', alert.number), {
    label: t('Undo'),
    run: () => post(`alerts/${alert.number}/${isTaken ? 'take' : 'release'}`),
  });
}

export async function reopen(alert: Alert): Promise<void> {
  await post(`alerts/${alert.number}/reopen`);
  tell(t('#{0} is open again', alert.number));
}

export async function close(alerts: Alert[], reason: string, verdict: string): Promise<void> {
  const done: number[] = [];
  try {
    for (const alert of alerts) {
      await post(`alerts/${alert.number}/close`, { reason, verdict });
      done.push(alert.number);
    }
  } finally {
    if (done.length > 0) {
      tell(done.length === 1 ? t('#{0} was closed', done[0]!) : t('{0} alerts were closed', number(done.length)), {
        label: t('Undo'),
        run: () => Promise.all(done.map((each) => post(`alerts/${each}/reopen`))),
      });
    }
  }
}

export function closeAsk(alerts: Alert[], onDone: () => void): Ask {
  return {
    title: alerts.length === 1 ? t('Close #{0}', alerts[0]!.number) : t('Close {0} alerts', number(alerts.length)),
    consequence: alerts.length === 1 ? t('The alert leaves the watch screen. It can be opened again.')
      : t('{0} alerts leave the watch screen. They can be opened again.', number(alerts.length)),
    act: t('Close'),
    verdicts: verdicts(),
    onDone: async (reason, verdict) => {
      await close(alerts, reason, verdict);
      onDone();
    },
  };
}

export const isStopped = (kind: string): boolean => ['paused', 'stopped', 'restored'].includes(kind);

const held = (): string => t('For ten seconds it can be called off.');

export function sheetAsks(alert: Alert, finding: Finding, onDone: () => void): Ask[] {
  const where = alert.host_name;
  const many = number(Math.max(1, finding.group.length));
  const then = (run: (reason: string) => Promise<void>) => async (reason: string) => {
    await run(reason);
    onDone();
  };
  const list: Ask[] = [];
  if (isStopped(finding.action.kind)) {
    list.push({
      title: t('Resume on {0}', where),
      act: t('Resume: false alarm'),
      consequence: t('{0} stopped processes go on and find the files exactly as they had left them. Do this only when you know the program.', many),
      remedy: held(),
      onDone: then((reason) => askHeld(alert, finding, 'resume', reason)),
    }, {
      title: t('End the processes on {0}', where),
      act: t('End the processes'),
      consequence: t('{0} processes end. What they had not saved is gone. Restored files stay restored.', many),
      remedy: held(),
      isDangerous: true,
      onDone: then((reason) => askHeld(alert, finding, 'kill', reason)),
    });
  }
  if (finding.files_total > 0) {
    list.push({
      title: t('Restore files on {0}', where),
      act: finding.files_restored > 0 ? t('Restore again') : t('Restore the files'),
      consequence: t('{0} files get their kept originals back. What stands there now is kept in the vault first.', number(finding.files_total)),
      remedy: t('It can be undone.'),
      onDone: then((reason) => askRestore(alert, finding, reason)),
    });
  }
  return list;
}

export const isHeld = (action: Action, now: number): boolean => action.state === 'waiting' && Date.parse(action.held_until) > now;

export const patch = (path: string, body: unknown): Promise<unknown> => call('PATCH', path, body);
