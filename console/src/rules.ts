// Rules for logs as the API tells of them, and what people can do to them: filters from an alert, switching off, taking
// back. Neighbours: pages/Rules.tsx, components/KeepBack.tsx.
import { get, post, type Severity } from './api';
import type { Ask } from './components/Reason';
import { t } from './i18n';
import { tell } from './notice';

export const hostField = 'canhgac.host';

export interface Rule {
  id: string;
  title: string;
  level: 'informational' | 'low' | 'medium' | 'high' | 'critical';
  source: 'built-in' | 'file' | 'own';
  file: string;
  line: number;
  correlation: boolean;
  /** Only correlations ask for it. */
  silent: boolean;
  off: boolean;
  hits_today: number;
  hits: number;
  told: number;
  kept_back: number;
  /** Who switched it off, or wrote it. */
  changed: string | null;
  changed_by: string;
  reason: string;
}

export interface Refusal {
  file: string;
  line: number;
  title: string;
  reason: string;
  remedy: string;
  warning: boolean;
}

export interface RuleList {
  version: string;
  rules: number;
  correlations: number;
  refused: number;
  refusals: Refusal[];
  found: number;
  items: Rule[];
  next: string | null;
}

export interface Filter {
  id: string;
  title: string;
  rule: string;
  on: boolean;
  dropped: boolean;
  until: string | null;
  kept_back: number;
  changed: string;
  changed_by: string;
  reason: string;
}

/** A rule or filter of one's own, whole. */
export interface Written {
  id: string;
  text: string;
}

export interface Noise {
  id: string;
  title: string;
  count: number;
}

export interface Report {
  told: Noise[];
  kept_back: Noise[];
  false_alarms: Noise[];
}

export const severityOf = (level: Rule['level']): Severity => (level === 'informational' ? 'info' : level);

export function sourceWord(source: Rule['source']): string {
  const words: Record<Rule['source'], string> = { 'built-in': t('built in'), file: t('from a file'), own: t('your own') };
  return words[source];
}

/** Of a rule of one's own: the document that it stands in, which may hold others too. */
export const documentOf = (rule: Rule): string => rule.file.slice('console:'.length);

const backAtOnce = (): string => t('taken back at once');
const at = (rule: Rule): string => encodeURIComponent(rule.id);

/** For whom the rule of an alert is not to speak any more: what, in words, and as the centre takes it. */
export interface Kept {
  field: string;
  value: string;
  words: string;
}

/** The host, what the entries have in common, and the fields that the rule looked at. */
export function keepable(host: string, group: string, fields: string[]): Kept[] {
  const pairs = [
    ...(group ? group.split(', ').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]) : []),
    ...fields.map((part) => [part.slice(0, part.indexOf(': ')), part.slice(part.indexOf(': ') + 2)]),
  ] as [string, string][];
  const seen = new Set<string>();
  return [
    ...(host ? [{ field: hostField, value: '', words: t('this host: {0}', host) }] : []),
    ...pairs.filter(([field, value]) => field && value && !seen.has(field) && seen.add(field))
      .map(([field, value]) => ({ field, value, words: `${field} = ${value}` })),
  ];
}

export function keepAsk(alert: number, title: string, kept: Kept, onDone: () => void): Ask {
  return {
    title: t('Not any more for {0}', kept.words),
    consequence: t('“{0}” is not told any more where this holds, and does not count in correlations there. What is kept back is counted under Rules.', title),
    remedy: t('It can be taken back at once, and at any time under Rules.'),
    act: t('Keep back'),
    choice: t('For how long'),
    verdicts: [['0', t('Without end')], ['1', t('1 day')], ['7', t('7 days')], ['30', t('30 days')], ['365', t('1 year')]],
    onDone: async (reason, days) => {
      const { id } = await post<{ id: string }>(`alerts/${alert}/filters`, { field: kept.field, value: kept.value, reason, days: Number(days) });
      tell(t('Kept back from now on: {0}', kept.words), { label: t('Undo'), run: () => post(`filters/${id}/drop`, { reason: backAtOnce() }).then(onDone) });
      onDone();
    },
  };
}

export function dropAsk(filter: Filter, onDone: () => void): Ask {
  return {
    title: t('Take back the filter'),
    consequence: t('“{0}” counts no more: what it kept back is told again from now on.', filter.title),
    remedy: t('It can be undone.'),
    act: t('Take back'),
    onDone: async (reason) => {
      await post(`filters/${filter.id}/drop`, { reason });
      tell(t('The filter was taken back'), { label: t('Undo'), run: () => post(`filters/${filter.id}/restore`, { reason: backAtOnce() }).then(onDone) });
      onDone();
    },
  };
}

export function dropRuleAsk(rule: Rule, onDone: () => void): Ask {
  const document = encodeURIComponent(documentOf(rule));
  return {
    title: t('Drop “{0}”', rule.title),
    consequence: t('It is no rule any more: nothing is judged by it, and correlations that ask for it rest.'),
    remedy: t('It can be undone.'),
    act: t('Drop the rule'),
    isDangerous: true,
    onDone: async (reason) => {
      const { text } = await get<Written>(`documents/${document}`);
      await post(`rules/${document}/drop`, { reason });
      tell(t('“{0}” was dropped', rule.title), { label: t('Undo'), run: () => post('rules', { text, reason: backAtOnce() }).then(onDone) });
      onDone();
    },
  };
}

export function offAsk(rule: Rule, onDone: () => void): Ask {
  return {
    title: t('Switch “{0}” off', rule.title),
    consequence: rule.correlation ? t('It is not told any more, wherever it hits.') : t('It is not told any more, wherever it hits, and does not count in correlations.'),
    remedy: t('It can be switched on again at any time.'),
    act: t('Switch off'),
    isDangerous: true,
    onDone: async (reason) => {
      await post(`rules/${at(rule)}/off`, { reason });
      tell(t('“{0}” is off', rule.title), { label: t('Undo'), run: () => post(`rules/${at(rule)}/on`, { reason: backAtOnce() }).then(onDone) });
      onDone();
    },
  };
}

export function onAsk(rule: Rule, onDone: () => void): Ask {
  return {
    title: t('Switch “{0}” on', rule.title),
    consequence: t('It is told again from now on.'),
    act: t('Switch on'),
    onDone: async (reason) => {
      await post(`rules/${at(rule)}/on`, { reason });
      tell(t('“{0}” is on', rule.title), { label: t('Undo'), run: () => post(`rules/${at(rule)}/off`, { reason: backAtOnce() }).then(onDone) });
      onDone();
    },
  };
}
