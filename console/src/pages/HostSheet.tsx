// One host: how its shield stands, what it sent, what it lost; for admins, cutting it off.
import { useState } from 'preact/hooks';

import { post, type Host, type Page } from '../api';
import { Reason, type Ask } from '../components/Reason';
import { Sheet } from '../components/Sheet';
import { SourceTable } from '../components/SourceTable';
import { Time } from '../components/Time';
import { useData } from '../data';
import { bytes, number, t } from '../i18n';
import { tell } from '../notice';
import { go, link, route } from '../route';
import { may } from '../session';
import type { LogSource } from '../sources';

export function hostState(host: Host): string {
  const words: Record<Host['state'], string> = {
    connected: `■ ${t('connected')}`,
    silent: `▢ ${t('silent')}`,
    away: `· ${t('not connected')}`,
    revoked: `✕ ${t('revoked')}`,
    sender: `» ${t('sends logs')}`,
  };
  return words[host.state];
}

export function shieldWord(mode: string): string {
  const words: Record<string, string> = {
    'stop-and-restore': t('stops and restores'),
    'pause-and-ask': t('stops and asks'),
    'detect-only': t('only detects'),
  };
  return words[mode] ?? mode;
}

export function sensorWord(sensor: string): string {
  if (sensor.startsWith('none')) return t('nowhere: {0}', sensor.replace(/^none:?\s*/, ''));
  const words: Record<string, string> = { ebpf: 'eBPF', 'proc-connector': 'proc connector' };
  return words[sensor] ?? sensor;
}

function facts(host: Host): [string, string, boolean?][] {
  const status = host.status;
  if (!status) return [];
  return [
    [t('Shield'), shieldWord(status.shield)],
    [t('Process events from'), sensorWord(status.process_sensor)],
    [t('Protected folders'), status.protected_paths.replaceAll('\n', ', ')],
    [t('Copies kept'), `${number(status.vault_versions)} · ${bytes(status.vault_bytes)} / ${bytes(status.vault_limit)}`],
    [t('Opens judged'), number(status.gate_opens)],
    [t('Let go too late'), number(status.gate_late), status.gate_late > 0],
    [t('Stopped groups waiting'), number(status.stopped_groups), status.stopped_groups > 0],
    [t('Events sent'), number(status.events)],
    [t('Events lost'), number(status.dropped), status.dropped > 0],
    [t('Clock ahead of ours'), `${number(host.clock_offset_ms)} ms`, Math.abs(host.clock_offset_ms) > 60_000],
    [t('Restarts of its processes'), number(status.restarts), status.restarts > 0],
    [t('System'), `${status.os} · ${status.kernel}`],
    [t('Program'), status.version],
    [t('Address'), status.address],
  ];
}

function Logs({ id }: { id: string }) {
  const { value, reload } = useData<Page<LogSource>>(`hosts/${id}/sources`, ['sources']);
  if (!value || value.items.length === 0) return null;
  return (
    <section aria-label={t('Sources of logs')}>
      <h3>{t('Sources of logs')}</h3>
      <SourceTable sources={value.items} hasHost={false} onChange={reload} />
    </section>
  );
}

function revokeAsk(host: Host, onDone: () => void): Ask {
  return {
    title: t('Revoke {0}', host.name),
    act: t('Revoke'),
    isDangerous: true,
    consequence: t('The host is cut off at once and must be enrolled anew. Its shield goes on working.'),
    remedy: t('For ten seconds it can be taken back.'),
    onDone: async (reason) => {
      await post(`hosts/${host.id}/revoke`, { reason });
      tell(t('{0} was revoked', host.name), { label: t('Undo'), run: () => post(`hosts/${host.id}/reinstate`) });
      onDone();
    },
  };
}

export function HostSheet({ id }: { id: string }) {
  const { value: host, error, reload } = useData<Host>(`hosts/${id}`, ['hosts', 'alerts']);
  const [isRevoking, setRevoking] = useState(false);
  const close = () => go(link('hosts', null, route.value.query));
  const stop = () => {
    setRevoking(false);
    reload();
  };
  return (
    <Sheet title={host?.name ?? id} onClose={close}>
      {error && <p role="alert" class="error">{error}</p>}
      {host && (
        <>
          <p>{hostState(host)} · {t('last seen')} <Time when={host.seen} /> · {host.state === 'sender' ? t('first seen') : t('enrolled')} <Time when={host.enrolled} /></p>
          {host.state === 'sender' && <p>{t('It has no agent: it only sends its logs, under a name that nothing proves.')}</p>}
          {!host.status && host.state !== 'sender' && <p class="medium">{t('It has not told its state yet: whether it is guarded is not known.')}</p>}
          <dl class="figures">
            {facts(host).map(([name, value, isOdd]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd class={isOdd ? 'high' : ''}>{isOdd ? '▲ ' : ''}{value}</dd>
              </div>
            ))}
          </dl>
          <Logs id={host.id} />
          <div class="acts">
            <a class="button" href={link('alerts', null, { host: host.id, state: 'all' })}>{t('Its alerts')}</a>
            {may('admin') && host.state !== 'revoked' && host.state !== 'sender' && <button class="danger" onClick={() => setRevoking(true)}>{t('Revoke')}</button>}
          </div>
        </>
      )}
      {host && isRevoking && <Reason ask={revokeAsk(host, stop)} onCancel={() => setRevoking(false)} />}
    </Sheet>
  );
}
