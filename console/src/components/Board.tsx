// Every host as one tile, its state as shape and tone; what needs a look comes first, the rest is counted.
import type { Host } from '../api';
import { number, t } from '../i18n';
import { link } from '../route';
import { shortTime } from '../time';

export const tiles: Record<Host['state'], string> = { connected: '■', silent: '▢', away: '·', revoked: '✕', sender: '»' };
const most = 72;

function hostWord(host: Host): string {
  if (host.state === 'connected') return host.open_alerts > 0 ? t('{0} open alerts', number(host.open_alerts)) : t('quiet');
  if (host.state === 'silent') return t('silent since {0}', host.seen ? shortTime(host.seen) : '–');
  if (host.state === 'sender') return host.open_alerts > 0 ? t('{0} open alerts', number(host.open_alerts)) : t('sends logs');
  return host.state === 'away' ? t('not connected') : t('revoked');
}

const weight = (host: Host): number =>
  host.open_alerts > 0 ? 0 : { silent: 1, away: 2, connected: 3, sender: 4, revoked: 5 }[host.state];

export function Board({ hosts, total }: { hosts: Host[]; total: number }) {
  const sorted = [...hosts].sort((a, b) => weight(a) - weight(b) || a.name.localeCompare(b.name, 'vi'));
  const shown = sorted.slice(0, most);
  const left = Math.max(0, total - shown.length);
  const has = (state: Host['state']): boolean => shown.some((host) => host.state === state && host.open_alerts === 0);
  return (
    <section aria-labelledby="board">
      <h2 id="board">{t('Hosts')}</h2>
      {shown.length === 0 && <p class="quiet"><a href={link('hosts')}>{t('No host yet')}</a></p>}
      <ul class="board">
        {shown.map((host) => {
          const tone = host.open_alerts > 0 ? 'high' : host.state === 'connected' ? 'good' : host.state === 'silent' ? 'medium' : 'quiet';
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
      {left > 0 && <p><a href={link('hosts')}>{t('and {0} more', number(left))}</a></p>}
      <p class="quiet legend">
        {has('connected') && <span>■ {t('connected')}</span>}
        {shown.some((host) => host.open_alerts > 0) && <span>▲ {t('has alerts')}</span>}
        {has('silent') && <span>▢ {t('silent')}</span>}
        {has('away') && <span>· {t('not connected')}</span>}
        {has('sender') && <span>» {t('sends logs')}</span>}
        {has('revoked') && <span>✕ {t('revoked')}</span>}
      </p>
    </section>
  );
}
