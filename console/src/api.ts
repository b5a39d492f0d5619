// The REST API under /api/v1, as docs/openapi.json describes it. Failures are problem+json and become Problem.
import { t } from './i18n';

export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical';
export type Role = 'viewer' | 'duty' | 'admin';
export type AlertState = 'new' | 'taken' | 'closed';

export interface Process {
  pid: number;
  uid: number;
  user: string;
  exe: string;
  cmdline: string;
  ancestors?: Process[];
}

export interface Finding {
  id: string;
  revision: number;
  time: string;
  detector: string;
  severity: Severity;
  title: string;
  drill: boolean;
  score: number;
  why: { what: string; text: string; value: string; score: number }[];
  process: Process;
  group: Process[];
  files: { path: string; outcome: string; restored: boolean; partial: boolean }[];
  files_total: number;
  files_restored: number;
  action: { kind: string; result: string; ms: number };
  /** Only of a page: its address, and the change behind it. */
  subject?: string;
  change?: number;
}

export interface Alert {
  number: number;
  host: string | null;
  host_name: string;
  state: AlertState;
  severity: Severity;
  drill: boolean;
  first: string;
  last: string;
  count: number;
  detector: string;
  /** How it stands now. */
  title: string;
  /** How it began: what searching goes by. */
  topic: string;
  taken_by: string;
  close_reason: string;
  files_total: number;
  files_restored: number;
  action: string;
  /** A watched site that it speaks of, with the page and the change behind it; 0: a host. */
  site: number;
  subject: string;
  change: number;
  /** On one alert's own page: what the host reported, newest first. */
  findings?: Finding[];
}

export interface Host {
  id: string;
  name: string;
  state: 'connected' | 'away' | 'silent' | 'revoked' | 'sender'; // a sender has no agent: it only sends logs
  enrolled: string;
  seen: string | null;
  open_alerts: number;
  clock_offset_ms: number;
  status: {
    version: string;
    kernel: string;
    os: string;
    address: string;
    process_sensor: string;
    shield: string;
    protected_paths: string; // parted by newlines
    events: number;
    dropped: number;
    gate_opens: number;
    gate_late: number;
    vault_bytes: number;
    vault_limit: number;
    vault_versions: number;
    stopped_groups: number;
    restarts: number;
  } | null;
}

export interface Me {
  name: string;
  full_name: string;
  role: Role;
  language: 'vi' | 'en';
  totp: boolean;
  must_change_password: boolean;
  centre: string;
}

export interface Overview {
  quiet_since: string | null;
  alerts: Alert[];
  counts: Record<string, number>;
  silent: Host[];
  is_disk_full: boolean;
  now: string;
}

/** One event of the archive with its ECS fields. */
export interface EventHit {
  host: string;
  host_name: string;
  event: Record<string, string | number>;
}

/** Events of the archive that could not be read: of one block, or (block 0) of a whole file. */
export interface ArchiveDamage {
  file: string;
  block: number;
  from: string;
  to: string;
  entries: number;
}

/** What a search found in one turn, and how far back it has looked. */
export interface EventPage {
  items: EventHit[];
  counts: { time: string; count: number }[];
  found: number;
  unread: number;
  title: string;
  reached: string;
  next: string | null;
  damages: ArchiveDamage[];
  /** There are more than are told. */
  more_damages: boolean;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Action {
  id: string;
  action: string;
  actor: string;
  reason: string;
  asked: string;
  /** Until then it can be called off, while it waits. */
  held_until: string;
  state: 'waiting' | 'sent' | 'done' | 'failed' | 'expired' | 'canceled';
  detail: string;
}

/** One row of centre_rows: what counts now, where it is from, what a change would do. */
export interface Setting {
  name: string;
  type: 'flag' | 'number' | 'size' | 'duration' | 'text' | 'path' | 'choice' | 'list' | 'path-list';
  default: string | null;
  minimum: string | null;
  maximum: string | null; // of a choice: the words, parted by |
  help: string;
  text: string;
  /** What would count if the console had changed nothing. */
  below: string;
  source: 'default' | 'file' | 'console' | 'command-line';
  effect: 'fixed' | 'now' | 'start';
  why: string | null;
  seen: number;
  changed: string | null;
  changed_by: string;
  reason: string;
  before: string | null;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title);
  }
}

let whenLoggedOut = (): void => {};
export const onLoggedOut = (fn: () => void): void => {
  whenLoggedOut = fn;
};

async function send(method: string, path: string, body: unknown, stop?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Canhgac': '1' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(`/api/v1/${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      signal: stop,
    });
  } catch {
    throw new Problem(0, t('The centre does not answer'), t('The centre does not answer: check the network, then try again.'));
  }
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null; // not from the centre: a proxy's page
  }
}

export async function call<T>(method: string, path: string, body?: unknown, stop?: AbortSignal): Promise<T> {
  const answer = await send(method, path, body, stop);
  const value = parse(await answer.text());
  if (answer.ok) return value as T;
  if (answer.status === 401 && path !== 'login') whenLoggedOut();
  const problem = (value ?? {}) as { title?: string; detail?: string };
  throw new Problem(answer.status, problem.title ?? answer.statusText, problem.detail ?? '');
}

/** What went wrong, for a person. */
export const wordsOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

export const get = <T>(path: string): Promise<T> => call<T>('GET', path);
export const post = <T>(path: string, body?: unknown, stop?: AbortSignal): Promise<T> => call<T>('POST', path, body, stop);
