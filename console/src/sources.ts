// What writes logs: a file or unit of a host, a program of a sender. Neighbour: centre/api/source.c.
import { post } from './api';
import type { Ask } from './components/Reason';
import { number, t } from './i18n';
import { tell } from './notice';

export interface LogSource {
  number: number;
  host: string;
  host_name: string;
  /** Empty: all that a sender writes; "*": those past what is kept of one host. */
  name: string;
  format: string;
  state: 'silent' | 'speaking' | 'muted';
  alert: number;
  first: string | null;
  last: string | null;
  /** Seconds that it is silent for at most, as a rule; 0: not known yet. */
  gap: number;
  entries: number;
  bytes: number;
  judged: number;
  unjudged: number;
  matched: number;
  unmatched: number;
  faulty: number;
  dropped: number;
  /** Entries in each hour of the last week. */
  series: number[];
  muted: string | null;
  muted_by: string;
  muted_why: string;
}

export function sourceName(source: LogSource): string {
  if (source.name === '') return t('all that it sends');
  return source.name === '*' ? t('all its other sources') : source.name;
}

export function sourceState(source: LogSource): [string, string] {
  if (source.state === 'silent') return [`▢ ${t('silent')}`, 'medium'];
  return source.state === 'muted' ? [`· ${t('not watched')}`, 'quiet'] : [`■ ${t('as usual')}`, 'good'];
}

/** How long it is silent for at most, as a rule. */
export function usual(source: LogSource): string {
  if (source.gap <= 0) return '–';
  const minutes = Math.max(1, Math.round(source.gap / 60));
  if (minutes < 120) return t('{0} min', number(minutes));
  return minutes < 48 * 60 ? t('{0} h', number(Math.round(minutes / 60))) : t('{0} days', number(Math.round(minutes / 1440)));
}

export function muteAsk(source: LogSource, onDone: () => void): Ask {
  return {
    title: t('Watch {0} no longer', sourceName(source)),
    act: t('Watch no longer'),
    consequence: t('Nobody is told when it is silent. What it writes is still kept and judged.'),
    remedy: t('It can be watched again at any time.'),
    onDone: async (reason) => {
      await post(`sources/${source.number}/mute`, { reason });
      tell(t('{0} is watched no longer', sourceName(source)), { label: t('Undo'), run: () => post(`sources/${source.number}/unmute`).then(onDone) });
      onDone();
    },
  };
}
