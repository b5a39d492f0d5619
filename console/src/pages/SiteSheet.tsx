// One watched site: how it stands, the change that matters with its text before and after, who saw what, all looks that
// said something new, and what can be done.
import { useState } from 'preact/hooks';

import { post, wordsOf, type Page } from '../api';
import { ChangeView } from '../components/ChangeView';
import { Pictures } from '../components/Pictures';
import { Reason, type Ask } from '../components/Reason';
import { Sheet } from '../components/Sheet';
import { SiteForm } from '../components/SiteForm';
import { SiteMark } from '../components/SiteMark';
import { Sparkline } from '../components/Sparkline';
import { Time } from '../components/Time';
import { WindowForm, Windows } from '../components/Windows';
import { useData } from '../data';
import { number, t } from '../i18n';
import { tell } from '../notice';
import { go, link, route } from '../route';
import { may } from '../session';
import { certificate, changeSite, dropSite, pageWord, serviceWord, siteState, verdictState, viewWord, type Change, type SiteFull } from '../sites';

function Facts({ site }: { site: SiteFull }) {
  const [days, tone] = certificate(site);
  return (
    <dl class="figures">
      <div><dt>{t('Unit')}</dt><dd>{site.unit}</dd></div>
      <div><dt>{t('What it is for')}</dt><dd>{serviceWord(site.service)}</dd></div>
      <div><dt>{t('Answers of the last day')}</dt><dd><Sparkline site={site} /></dd></div>
      <div><dt>{t('Certificate ends in')}</dt><dd class={tone}>{days}</dd></div>
      <div><dt>{t('Last changed')}</dt><dd><Time when={site.changed} /></dd></div>
      <div><dt>{t('Watched by leave of')}</dt><dd>{site.permission} <span class="quiet">({site.permitted_by}, <Time when={site.permitted} />)</span></dd></div>
    </dl>
  );
}

function Looks({ site }: { site: SiteFull }) {
  return (
    <section aria-labelledby="site-looks">
      <h3 id="site-looks">{t('Pages and who looked at them')}</h3>
      <table>
        <thead>
          <tr><th scope="col">{t('Page')}</th><th scope="col" class="wide">{t('Seen by')}</th><th scope="col">{t('State')}</th><th scope="col" class="number">{t('Looked at')}</th></tr>
        </thead>
        <tbody>
          {site.looks.map((look) => look.check && (
            <tr key={`${look.url} ${look.check.view}`}>
              <td><code class="address">{look.url.replace(site.url, '/')}</code> <span class="quiet">{pageWord(look.page)}</span></td>
              <td class="wide">{viewWord(look.check.view)}</td>
              <td><SiteMark state={verdictState(look.check.verdict, look.check.failure)} />{look.check.learning && <span class="tag">{t('learning')}</span>}</td>
              <td class="number"><Time when={look.check.time} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Timeline({ changes, shown, onShow }: { changes: Change[]; shown: number; onShow: (number: number) => void }) {
  const decided: Record<Change['decision'], string> = { none: '', held: t('ours'), ours: t('ours'), incident: t('incident') };
  return (
    <section aria-labelledby="site-changes">
      <h3 id="site-changes">{t('What looks found new')}</h3>
      <ol class="timeline">
        {changes.map((change) => (
          <li key={change.number}>
            <button class="link" aria-pressed={change.number === shown} onClick={() => onShow(change.number)}>
              <Time when={change.time} /> <SiteMark state={verdictState(change.verdict, change.check?.failure ?? '')} />
            </button>
            <span class="quiet"> {change.check ? viewWord(change.check.view) : ''}{change.decision !== 'none' && ` · ${decided[change.decision]}`}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What is grave and not decided on comes first, then what is newest. */
const pick = (changes: Change[]): number =>
  (changes.find((change) => change.decision === 'none' && (change.verdict === 'red' || change.verdict === 'yellow')) ?? changes[0])?.number ?? 0;

function pauseAsk(site: SiteFull, onDone: () => void): Ask {
  const paused = site.state !== 'paused';
  return {
    title: paused ? t('Let the watch over {0} rest', site.name) : t('Watch {0} again', site.name),
    act: paused ? t('Let it rest') : t('Watch it'),
    consequence: paused ? t('Nobody looks at the site until the watch goes on: an attack would not be seen.') : t('The site is looked at again at once.'),
    remedy: t('It can be undone.'),
    onDone: async (reason) => {
      await changeSite(site.number, { paused, reason });
      tell(paused ? t('The watch over {0} rests', site.name) : t('{0} is watched from now on', site.name), {
        label: t('Undo'), run: () => changeSite(site.number, { paused: !paused, reason: t('taken back at once') }) });
      onDone();
    },
  };
}

function dropAsk(site: SiteFull, onDone: () => void): Ask {
  return {
    title: t('Watch {0} no longer', site.name),
    act: t('Watch no longer'),
    isDangerous: true,
    consequence: t('The site leaves the board and is not looked at any more. Its alerts and what was learned are kept.'),
    remedy: t('It can be undone.'),
    onDone: (reason) => dropSite(site, reason).then(onDone),
  };
}

export function SiteSheet({ id }: { id: string }) {
  const { value: site, error, reload } = useData<SiteFull>(`sites/${id}`, ['sites', 'alerts']);
  const { value: changes } = useData<Page<Change>>(`sites/${id}/changes?limit=30`, ['sites', 'alerts']);
  const [picked, setPicked] = useState(Number(route.value.query.get('change')) || 0);
  const [open, setOpen] = useState<'' | 'form' | 'window' | 'pause' | 'drop'>('');
  const close = () => go(link('sites', null, [...route.value.query].filter(([name]) => name !== 'change').reduce((query, [name, value]) => ({ ...query, [name]: value }), {})));
  const done = () => {
    setOpen('');
    reload();
  };
  const look = () => void post(`sites/${id}/look`).then(() => tell(t('It is being looked at now')), (reason: unknown) => tell(wordsOf(reason), undefined, true));
  const shown = picked || pick(changes?.items ?? []);
  return (
    <Sheet title={site ? <><SiteMark state={siteState(site)} /> {site.name}</> : id} onClose={close}>
      {error && <p role="alert" class="error">{error}</p>}
      {site && (
        <>
          <p>
            <code class="address copy">{site.url}</code>{site.since && <> · {t('since')} <Time when={site.since} /></>}
            {site.failure_text && <> · <span class="high">{site.failure_text}</span></>}
            {site.windows.some((window) => window.open) && <> · <b>● {t('deploy window open')}</b></>}
          </p>
          <div class="acts">
            {may('duty') && site.state === 'watched' && <button onClick={look}>{t('Look now')}</button>}
            {may('duty') && <button onClick={() => setOpen('window')}>{t('Deploy window')}</button>}
            <a class="button" href={link('alerts', null, { site: String(site.number), state: 'all' })}>{t('Alerts of this site')}{site.open_alerts > 0 && ` (${number(site.open_alerts)})`}</a>
          </div>
          {shown > 0 && <ChangeView key={shown} site={site.number} number={shown} />}
          <Pictures site={site.number} />
          {(changes?.items ?? []).length > 0 && <Timeline changes={changes!.items} shown={shown} onShow={setPicked} />}
          {site.looks.length > 0 && <Looks site={site} />}
          <Windows site={site} onDone={reload} />
          <Facts site={site} />
          {may('admin') && (
            <div class="acts">
              <button onClick={() => setOpen('form')}>{t('Change')}</button>
              <button onClick={() => setOpen('pause')}>{site.state === 'paused' ? t('Watch it') : t('Let it rest')}</button>
              <button class="danger" onClick={() => setOpen('drop')}>{t('Watch no longer')}</button>
            </div>
          )}
        </>
      )}
      {site && open === 'form' && <SiteForm site={site} units={[]} onDone={done} onCancel={() => setOpen('')} />}
      {site && open === 'window' && <WindowForm site={site} onDone={done} onCancel={() => setOpen('')} />}
      {site && open === 'pause' && <Reason ask={pauseAsk(site, done)} onCancel={() => setOpen('')} />}
      {site && open === 'drop' && <Reason ask={dropAsk(site, close)} onCancel={() => setOpen('')} />}
    </Sheet>
  );
}
