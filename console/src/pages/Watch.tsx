// Trực ban: one sentence when all is quiet, else what to act on now; hosts as tiles beside it.
import type { Host, Overview, Page } from '../api';
import { AlertTable } from '../components/AlertTable';
import { Time } from '../components/Time';
import { useData } from '../data';
import { number, t } from '../i18n';
import { link, route } from '../route';
import { shortTime } from '../time';
import { AlertSheet } from './AlertSheet';

const tiles: Record<Host['state'], string> = { connected: '■', silent: '▢', away: '·', revoked: '✕' };

function hostWord(host: Host): string {
  if (host.state === 'connected') return host.open_alerts > 0 ? t('{0} open alerts', number(host.open_alerts)) : t('quiet');
  if (host.state === 'silent') return t('silent since {0}', host.seen ? shortTime(host.seen) : '–');
  return host.state === 'away' ? t('not connected') : t('revoked');
}

function Board({ hosts }: { hosts: Host[] }) {
  return (
    <section aria-labelledby="board">
      <h2 id="board">{t('Hosts')}</h2>
      <ul class="board">
        {hosts.map((host) => {
          const tone = host.open_alerts > 0 ? 'high' : host.state === 'connected' ? 'good' : 'quiet';
          const label = `${host.name}: ${hostWord(host)}`;
          return (
            <li key={host.id}>
              <a class={tone} href={link('hosts', host.id)} title={label} aria-label={label}>
                <span aria-hidden="true">{host.open_alerts > 0 ? '▲' : tiles[host.state]}</span>
              </a>
            </li>
          );
        })}
      </ul>
      <p class="quiet">{t('■ connected  ▲ has alerts  ▢ silent  ✕ revoked')}</p>
    </section>
  );
}

function Figures({ counts }: { counts: Record<string, number> }) {
  const rows: [string, string][] = [
    [t('Hosts'), number(counts['hosts'] ?? 0)],
    [t('Hosts silent'), number(counts['hosts_silent'] ?? 0)],
    [t('Events kept'), number(counts['events'] ?? 0)],
    [t('Events lost at the source'), number(counts['dropped'] ?? 0)],
  ];
  return (
    <dl class="figures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Watch() {
  const { value, error } = useData<Overview>('overview', ['alerts', 'hosts']);
  const { value: hosts } = useData<Page<Host>>('hosts?limit=200', ['alerts', 'hosts']);
  const open = value?.alerts.filter((alert) => !alert.drill) ?? [];
  const drills = value?.alerts.filter((alert) => alert.drill) ?? [];
  return (
    <main class="watch">
      <h1 class="unseen">{t('Watch')}</h1>
      {error && <p role="alert" class="error">{t('The centre cannot be asked right now: {0}', error)}</p>}
      {value?.is_disk_full && <p role="alert" class="error">{t('The centre\'s disk is full: nothing new is accepted until there is room.')}</p>}
      <div class="columns">
        <section aria-live="polite">
          {value && open.length === 0 && (
            <p class="calm">
              {value.quiet_since ? <>{t('Quiet since')} <Time when={value.quiet_since} /></> : t('Quiet')}
            </p>
          )}
          {open.length > 0 && <p class="calm">{open.length === 1 ? t('1 thing to see to') : t('{0} things to see to', number(open.length))}</p>}
          {open.length > 0 && <AlertTable alerts={open} page="watch" />}
          {drills.length > 0 && (
            <>
              <h2>{t('Drills')}</h2>
              <AlertTable alerts={drills} page="watch" />
            </>
          )}
        </section>
        {value && (
          <div>
            <Board hosts={hosts?.items ?? []} />
            <Figures counts={value.counts} />
          </div>
        )}
      </div>
      {route.value.id && <AlertSheet number={route.value.id} back={link('watch')} key={route.value.id} />}
    </main>
  );
}
