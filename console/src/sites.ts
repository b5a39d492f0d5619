// Watched sites as the API gives them, and what they are called.
import { call, post } from './api';
import { number, t } from './i18n';
import { tell } from './notice';

export type Verdict = 'unknown' | 'ok' | 'changed' | 'yellow' | 'red';
export type Service = 'portal' | 'one-stop' | 'mail' | 'document' | 'other';

export interface Site {
  number: number;
  name: string;
  url: string;
  unit: string;
  service: Service;
  permission: string;
  permitted_by: string;
  permitted: string;
  interval: number; // s, 0: as usual
  views: string[];
  state: 'watched' | 'paused' | 'dropped';
  verdict: Verdict;
  failure: string;
  failure_text: string;
  since: string | null;
  checked: string | null;
  changed: string | null;
  certificate_end: string | null;
  open_alerts: number;
  series_end: string | null;
  series: (number | null)[]; // ms a quarter of an hour; null: not asked, -1: no answer
}

export interface Check {
  url: string;
  view: string;
  time: string;
  verdict: Verdict;
  failure: string;
  confirmed: boolean;
  learning: boolean;
  score: number;
  status: number;
  title: string;
  timing: Record<string, number>;
  why: { layer: string; view: string; what: string; text: string; value: string; score: number; snippet: string }[];
}

export interface Look {
  url: string;
  page: string;
  since: string;
  failures: number;
  change: number;
  check: Check | null;
}

export interface Window {
  number: number;
  begins: string;
  ends: string;
  actor: string;
  reason: string;
  open: boolean;
}

export interface SiteFull extends Site {
  windows: Window[];
  looks: Look[];
}

export interface Unit {
  name: string;
  sites: number;
  ok: number;
  changed: number;
  yellow: number;
  red: number;
  unknown: number;
  unreachable: number;
  unseen: number;
}

export interface Passage {
  text: string;
  hidden: boolean;
  link: boolean;
}

export interface Change {
  number: number;
  site: number;
  url: string;
  time: string;
  verdict: Verdict;
  check: Check | null;
  alert: number;
  decision: 'none' | 'held' | 'ours' | 'incident';
  decided: string | null;
  decided_by: string;
  decided_why: string;
  has_before: boolean;
  has_after: boolean;
  before?: Passage[];
  after?: Passage[];
}

/** What a page looked like; one row as long as it stays so. */
export interface Picture {
  number: number;
  url: string;
  view: string;
  first: string;
  last: string;
  count: number;
  state: 'seen' | 'learned' | 'odd';
  score: number;
}

export interface Pictures {
  /** Whether new ones can be taken. */
  browser: boolean;
  items: Picture[];
}

/** The picture that shows what an open alert is about. */
export interface AlertPicture {
  alert: number;
  site: number;
  picture: number;
}

export const pictureFile = (site: number, picture: number): string => `/api/v1/sites/${site}/pictures/${picture}`;
export function pictureWord(picture: Picture): string {
  return { seen: t('seen while other things were odd'), learned: t('in order'), odd: t('▲ looks unlike ever before') }[picture.state];
}

export const services: Service[] = ['portal', 'one-stop', 'mail', 'document', 'other'];
export function serviceWord(service: Service): string {
  return { portal: t('portal'), 'one-stop': t('one-stop procedures'), mail: t('mail'), document: t('documents'), other: t('other') }[service];
}

export const views = ['desktop', 'crawler', 'search', 'mobile'];
export function viewWord(view: string): string {
  const words: Record<string, string> = {
    desktop: t('a person at a computer'), crawler: t('a search engine'), search: t('a person out of a search'), mobile: t('a person at a phone') };
  return words[view] ?? view;
}

export function pageWord(page: string): string {
  const words: Record<string, string> = {
    listed: t('first page'), linked: t('linked page'), missing: t('a page that must not exist'), robots: 'robots.txt', sitemap: t('site map'),
    hidden: t('page that people do not find'), uploads: t('folder of uploads') };
  return words[page] ?? page;
}

export interface State {
  shape: string;
  tone: string;
  word: string;
}

const unreachable = ['name', 'refused', 'timeout', 'tls', 'protocol', 'redirects', 'status'];

export function verdictState(verdict: Verdict, failure: string): State {
  if (verdict === 'red') return { shape: '◆', tone: 'critical', word: t('attacked') };
  if (verdict === 'yellow') return { shape: '■', tone: 'medium', word: t('odd') };
  if (verdict === 'unknown' && unreachable.includes(failure)) return { shape: '▲', tone: 'high', word: t('cannot be reached') };
  if (verdict === 'unknown') return { shape: '▢', tone: 'medium', word: t('cannot be judged') };
  return verdict === 'changed' ? { shape: '●', tone: 'good', word: t('edited') } : { shape: '●', tone: 'good', word: t('in order') };
}

export function siteState(site: Site): State {
  if (site.state === 'paused') return { shape: '‖', tone: 'quiet', word: t('watch rests') };
  if (!site.checked) return { shape: '·', tone: 'quiet', word: t('not looked at yet') };
  return verdictState(site.verdict, site.failure);
}

export function unitState(unit: Unit): State {
  if (unit.red > 0) return verdictState('red', '');
  if (unit.unreachable > 0) return verdictState('unknown', 'timeout');
  if (unit.yellow > 0) return verdictState('yellow', '');
  if (unit.unknown > unit.unseen) return verdictState('unknown', '');
  return unit.unseen === unit.sites ? { shape: '·', tone: 'quiet', word: t('not looked at yet') } : verdictState('ok', '');
}

/** Days until the certificate ends, for a person, with its tone. */
export function certificate(site: Site): [string, string] {
  if (!site.certificate_end) return ['–', ''];
  const days = Math.floor((Date.parse(site.certificate_end) - Date.now()) / 86_400_000);
  if (days < 0) return [`◆ ${t('ended')}`, 'critical'];
  return days <= 14 ? [`${days <= 3 ? '▲' : '■'} ${t('{0} days', number(days))}`, days <= 3 ? 'high' : 'medium'] : [t('{0} days', number(days)), ''];
}

const path = (change: Change): string => `sites/${change.site}/changes/${change.number}`;
const undecide = (change: Change) => ({ label: t('Undo'), run: () => post(`${path(change)}/undecide`) });

/** One click, and ten seconds in which it is taken back: learned only then. */
export async function sayOurs(change: Change): Promise<void> {
  await post(`${path(change)}/ours`, {});
  tell(t('It is ours: learned in ten seconds'), undecide(change), false, 10_000);
}

export async function sayIncident(change: Change): Promise<void> {
  await post(`${path(change)}/incident`, {});
  tell(t('It is an incident: the alert is yours'), undecide(change));
}

export async function dropSite(site: Site, reason: string): Promise<void> {
  await post(`sites/${site.number}/drop`, { reason });
  tell(t('{0} is watched no longer', site.name), { label: t('Undo'), run: () => post(`sites/${site.number}/restore`) });
}

export const changeSite = (number: number, body: unknown): Promise<unknown> => call('PATCH', `sites/${number}`, body);
