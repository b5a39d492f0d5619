// The frame around every page: bar, pages, keys.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { get, type Me } from './api';
import { Help } from './components/Help';
import { LogInAgain } from './components/LogInAgain';
import { Notices } from './components/Notices';
import { t } from './i18n';
import { addKeys } from './keys';
import { isLive } from './live';
import { Alerts } from './pages/Alerts';
import { Find } from './pages/Find';
import { Hosts } from './pages/Hosts';
import { ChangePassword, Login } from './pages/Login';
import { Rules } from './pages/Rules';
import { Settings } from './pages/Settings';
import { Sites } from './pages/Sites';
import { Watch } from './pages/Watch';
import { go, link, route } from './route';
import { enter, hasEnded, logOut, me } from './session';
import { clockNow } from './time';

const pages: Record<string, { title: () => string; key: string; view: () => JSX.Element }> = {
  watch: { title: () => t('Watch'), key: '1', view: Watch },
  alerts: { title: () => t('Alerts'), key: '2', view: Alerts },
  hosts: { title: () => t('Hosts'), key: '3', view: Hosts },
  sites: { title: () => t('Sites'), key: '4', view: Sites },
  find: { title: () => t('Find'), key: '5', view: Find },
  rules: { title: () => t('Rules'), key: '6', view: Rules },
  settings: { title: () => t('Settings'), key: '7', view: Settings },
};

function Clock() {
  const [now, setNow] = useState(new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 5000);
    return () => clearInterval(timer);
  }, []);
  return <span class="clock">{clockNow(now)}</span>;
}

function Bar({ onHelp }: { onHelp: () => void }) {
  return (
    <header class="bar">
      <a class="brand" href={link('watch')}>{me.value?.centre || 'Canh Gác'}</a>
      <nav aria-label={t('Pages')}>
        {Object.entries(pages).map(([name, page]) => (
          <a key={name} href={link(name)} aria-current={route.value.page === name ? 'page' : undefined}>{page.title()}</a>
        ))}
      </nav>
      <span class={isLive.value ? 'live good' : 'live high'} role="status">
        {isLive.value ? <>● <span class="wide">{t('live')}</span></> : `▲ ${t('not live: trying again')}`}
      </span>
      <Clock />
      <button class="plain help-button" onClick={onHelp} aria-label={t('Show the keys')}>?</button>
      <button class="plain" onClick={() => void logOut()}><span class="wide">{me.value?.name} · </span>{t('Log out')}</button>
    </header>
  );
}

function search(): void {
  const field = document.getElementById('search');
  if (field) field.focus();
  else go(link('alerts'));
}

function Inside() {
  const [isHelping, setHelping] = useState(false);
  useEffect(
    () =>
      addKeys([
        { key: '?', what: t('Show the keys'), run: () => setHelping((was) => !was) },
        { key: '/', what: t('Search'), run: search },
        ...Object.entries(pages).map(([name, page]) => ({ key: page.key, what: page.title(), run: () => go(link(name)) })),
      ]),
    [],
  );
  const page = pages[route.value.page] ?? pages['watch']!;
  useEffect(() => {
    document.title = `${page.title()} · ${me.value?.centre || 'Canh Gác'}`;
  });
  return (
    <>
      <Bar onHelp={() => setHelping(true)} />
      <page.view />
      <Notices />
      {isHelping && <Help onClose={() => setHelping(false)} />}
      {hasEnded.value && <LogInAgain />}
    </>
  );
}

export function App() {
  if (me.value === undefined) return null;
  if (me.value === null) return <Login />;
  if (me.value.must_change_password) return <ChangePassword isFirst onDone={() => void get<Me>('me').then(enter)} />;
  return <Inside />;
}
