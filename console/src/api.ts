// The REST API under /api/v1, as docs/openapi.json describes it. Failures are problem+json and become Problem.
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
}

export interface Alert {
  number: number;
  host: string;
  host_name: string;
  state: AlertState;
  severity: Severity;
  drill: boolean;
  first: string;
  last: string;
  count: number;
  detector: string;
  title: string;
  taken_by: string;
  close_reason: string;
  files_total: number;
  files_restored: number;
  action: string;
  /** On one alert's own page: what the host reported, newest first. */
  findings?: Finding[];
}

export interface Host {
  id: string;
  name: string;
  state: 'connected' | 'away' | 'silent' | 'revoked';
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
}

export interface Overview {
  quiet_since: string | null;
  alerts: Alert[];
  counts: Record<string, number>;
  silent: Host[];
  is_disk_full: boolean;
  now: string;
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
  state: 'waiting' | 'sent' | 'done' | 'failed' | 'expired';
  detail: string;
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

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Canhgac': '1' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const answer = await fetch(`/api/v1/${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: 'same-origin',
  });
  const text = await answer.text();
  const value: unknown = text ? JSON.parse(text) : null;
  if (answer.ok) return value as T;
  if (answer.status === 401 && path !== 'login') whenLoggedOut();
  const problem = (value ?? {}) as { title?: string; detail?: string };
  throw new Problem(answer.status, problem.title ?? answer.statusText, problem.detail ?? '');
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path);
export const post = <T>(path: string, body?: unknown): Promise<T> => call<T>('POST', path, body);
