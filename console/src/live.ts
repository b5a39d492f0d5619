// The live stream: tells which lists changed. The browser reconnects by itself and sends the last id; what the browser
// gives up (an error status, a connection that died in sleep without a word) is opened anew from the same id, so that
// nothing is missed. Neighbour: centre/api/stream.c, which beats every 15 s.
import { signal } from '@preact/signals';

import { get } from './api';

export const isLive = signal(false);
export const changes = signal({ alerts: 0, hosts: 0, actions: 0, settings: 0, sites: 0, rules: 0, sources: 0 });

type Kind = keyof typeof changes.value;
const kinds: Kind[] = ['alerts', 'hosts', 'actions', 'settings', 'sites', 'rules', 'sources'];
const silence = 40_000; // ms without a beat: the connection is dead, whatever the browser thinks
const rest = 250; // ms: a storm of alerts is told four times a second

let source: EventSource | null = null;
let lastId = '';
let heard = 0;
let delay = 1000;
let retry = 0;
let waiting = new Set<Kind>();
let timer = 0;

function flush(): void {
  timer = 0;
  if (waiting.size === 0) return;
  const now = { ...changes.value };
  for (const kind of waiting) now[kind]++;
  waiting = new Set();
  changes.value = now;
  timer = window.setTimeout(flush, rest);
}

function bump(which: string[]): void {
  for (const kind of kinds) if (which.includes(kind)) waiting.add(kind);
  if (timer === 0) flush();
}

function hear(event: Event): void {
  heard = Date.now();
  lastId = (event as MessageEvent).lastEventId || lastId;
}

/** The browser has given up. Somebody logged us out (get tells the session), or the centre is away. */
function openLater(): void {
  window.clearTimeout(retry);
  retry = window.setTimeout(() => {
    if (source === null) return;
    get('me').then(open, (reason: { status?: number }) => {
      if (reason.status !== 401) openLater();
    });
  }, delay);
  delay = Math.min(delay * 2, 15_000);
}

function open(): void {
  source?.close();
  heard = Date.now();
  source = new EventSource(`/api/v1/events/stream${lastId ? `?after=${lastId}` : ''}`);
  source.onopen = () => {
    isLive.value = true;
    delay = 1000;
    heard = Date.now();
    bump(kinds);
  };
  source.onerror = () => {
    isLive.value = false;
    if (source?.readyState === EventSource.CLOSED) openLater();
  };
  for (const name of ['hello', 'beat', 'alert', 'reset', 'changed']) source.addEventListener(name, hear);
  source.addEventListener('alert', () => bump(['alerts']));
  source.addEventListener('reset', () => bump(kinds));
  source.addEventListener('changed', (event) => {
    bump((JSON.parse((event as MessageEvent<string>).data) as { what: string[] }).what);
  });
}

/** Called often and at each waking: cheap when all is well. */
function look(most: number): void {
  if (source !== null && Date.now() - heard > most) {
    isLive.value = false;
    open();
  }
}

window.setInterval(() => look(silence), 5000);
window.addEventListener('online', () => look(0));
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') look(silence / 2);
});

export function startLive(): void {
  delay = 1000;
  open();
}

export function stopLive(): void {
  window.clearTimeout(retry);
  source?.close();
  source = null;
  isLive.value = false;
}
