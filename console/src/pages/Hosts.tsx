// Máy: every host, how its shield stands and when it last spoke.
import { useState } from 'preact/hooks';

import { post, type Host, type Page } from '../api';
import { Reason } from '../components/Reason';
import { Sheet } from '../components/Sheet';
import { Time } from '../components/Time';
import { useData } from '../data';
import { bytes, fold, number, t } from '../i18n';
import { go, link, route, setFilter } from '../route';
import { may } from '../session';

export function hostState(host: Host): string {
  const words: Record<Host['state'], string> = {
    connected: `■ ${t('connected')}`,
    silent: `▢ ${t('silent')}`,
    away: `· ${t('not connected')}`,
    revoked: `✕ ${t('revoked')}`,
  };
  return words[host.state];
}

function facts(host: Host): [string, string][] {
  const status = host.status;
  if (!status) return [];
  return [
    [t('Shield'), status.shield],
    [t('Process events from'), status.process_sensor],
    [t('Protected folders'), status.protected_paths.replaceAll('\n', ', ')],
    [t('Copies kept'), `${number(status.vault_versions)} · ${bytes(status.vault_bytes)} / ${bytes(status.vault_limit)}`],
    [t('Opens judged'), number(status.gate_opens)],
    [t('Let go too late'), number(status.gate_late)],
    [t('Stopped groups waiting'), number(status.stopped_groups)],
    [t('Events sent'), number(status.events)],
    [t('Events lost'), number(status.dropped)],
    [t('Clock ahead of ours'), `${number(host.clock_offset_ms)} ms`],
    [t('Restarts of its processes'), number(status.restarts)],
    [t('System'), `${status.os} · ${status.kernel}`],
    [t('Program'), status.version],
    [t('Address'), status.address],
  ];
}

function HostSheet({ id }: { id: string }) {
  const { value: host, error, reload } = useData<Host>(`hosts/${id}`, ['hosts']);
  const [isRevoking, setRevoking] = useState(false);
  const close = () => go(link('hosts', null, route.value.query));
  return (
    <Sheet title={host?.name ?? id} onClose={close}>
      {error && <p role="alert" class="error">{error}</p>}
      {host && (
        <>
          <p>{hostState(host)} · {t('last seen')} <Time when={host.seen} /> · {t('enrolled')} <Time when={host.enrolled} /></p>
          <dl class="figures">
            {facts(host).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          <div class="acts">
            <a class="button" href={link('alerts', null, { q: host.name })}>{t('Its alerts')}</a>
            {may('admin') && host.state !== 'revoked' && (
              <button class="danger" onClick={() => setRevoking(true)}>{t('Revoke')}</button>
            )}
          </div>
        </>
      )}
      {host && isRevoking && (
        <Reason title={t('Revoke {0}', host.name)} act={t('Revoke')} isDangerous
          consequence={t('The host is cut off at once and must be enrolled anew. Its shield goes on working.')}
          onCancel={() => setRevoking(false)}
          onDone={async (reason) => {
            await post(`hosts/${host.id}/revoke`, { reason });
            setRevoking(false);
            reload();
          }} />
      )}
    </Sheet>
  );
}

export function Hosts() {
  const { value, error } = useData<Page<Host>>('hosts?limit=200', ['hosts']);
  const words = route.value.query.get('q') ?? '';
  const hosts = (value?.items ?? []).filter((host) => fold(`${host.name} ${host.status?.address ?? ''}`).includes(fold(words)));
  return (
    <main>
      <h1>{t('Hosts')}</h1>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          {t('Search')}
          <input type="search" id="search" value={words} onInput={(event) => setFilter('q', event.currentTarget.value)} />
        </label>
      </form>
      {error && <p role="alert" class="error">{error}</p>}
      {value && hosts.length === 0 && <p class="calm">{t('No host. Settings → Tokens tells how to enrol one.')}</p>}
      {hosts.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('Host')}</th>
              <th scope="col">{t('State')}</th>
              <th scope="col" class="wide">{t('Shield')}</th>
              <th scope="col" class="wide">{t('Process events from')}</th>
              <th scope="col" class="number">{t('Open alerts')}</th>
              <th scope="col" class="number wide">{t('Copies kept')}</th>
              <th scope="col" class="number">{t('Last seen')}</th>
            </tr>
          </thead>
          <tbody>
            {hosts.map((host) => (
              <tr key={host.id} onClick={() => go(link('hosts', host.id, route.value.query))}>
                <td><a href={link('hosts', host.id, route.value.query)}>{host.name}</a></td>
                <td>{hostState(host)}</td>
                <td class="wide">{host.status?.shield ?? '–'}</td>
                <td class="wide">{host.status?.process_sensor ?? '–'}</td>
                <td class="number">{number(host.open_alerts)}</td>
                <td class="number wide">{host.status ? number(host.status.vault_versions) : '–'}</td>
                <td class="number"><Time when={host.seen} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {route.value.id && <HostSheet id={route.value.id} key={route.value.id} />}
    </main>
  );
}
