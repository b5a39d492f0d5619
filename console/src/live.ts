// The live stream: tells which lists changed. The browser reconnects by itself and sends the last id, so that
// nothing is missed over sleep; after a longer silence everything is fetched anew.
import { signal } from '@preact/signals';

export const isLive = signal(false);
export const changes = signal({ alerts: 0, hosts: 0, actions: 0 });

let source: EventSource | null = null;

function bump(kinds: string[]): void {
  const now = { ...changes.value };
  for (const kind of kinds) {
    if (kind === 'alerts' || kind === 'hosts' || kind === 'actions') now[kind]++;
  }
  changes.value = now;
}

export function startLive(): void {
  source?.close();
  source = new EventSource('/api/v1/events/stream');
  source.onopen = () => {
    isLive.value = true;
    bump(['alerts', 'hosts', 'actions']);
  };
  source.onerror = () => {
    isLive.value = false;
  };
  source.addEventListener('alert', () => bump(['alerts']));
  source.addEventListener('reset', () => bump(['alerts', 'hosts', 'actions']));
  source.addEventListener('changed', (event) => {
    bump((JSON.parse((event as MessageEvent<string>).data) as { what: string[] }).what);
  });
}

export function stopLive(): void {
  source?.close();
  source = null;
  isLive.value = false;
}
