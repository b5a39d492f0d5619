// The frame around every page: bar, pages, keys.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { get, type Me } from './api';
import { t } from './i18n';
import { addKeys, allKeys } from './keys';
import { isLive } from './live';
import { Alerts } from './pages/Alerts';
import { Hosts } from './pages/Hosts';
import { ChangePassword, Login } from './pages/Login';
import { Settings } from './pages/Settings';
import { Watch } from './pages/Watch';
import { go, link, route } from './route';
import { enter, logOut, me } from './session';
import { clockNow } from './time';

const pages: Record<string, { title: () => string; key: string; view: () => JSX.Element }> = {
  watch: { title: () => t('Watch'), key: '1', view: Watch },
  alerts: { title: () => t('Alerts'), key: '2', view: Alerts },
  hosts: { title: () => t('Hosts'), key: '3', view: Hosts },
  settings: { title: () => t('Settings'), key: '4', view: Settings },
};

function Clock() {
  const [now, setNow] = useState(new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 5000);
    return () => clearInterval(timer);
  }, []);
  return <span class="clock">{clockNow(now)}</span>;
}

function Bar() {
  return (
    <header class="bar">
      <a class="brand" href={link('watch')}>Canh Gác</a>
      <nav aria-label={t('Pages')}>
        {Object.entries(pages).map(([name, page]) => (
          <a key={name} href={link(name)} aria-current={route.value.page === name ? 'page' : undefined}>{page.title()}</a>
        ))}
      </nav>
      <span class={isLive.value ? 'live good' : 'live high'} role="status">
        {isLive.value ? `● ${t('live')}` : `▲ ${t('not live: trying again')}`}
      </span>
      <Clock />
      <button class="plain" onClick={() => void logOut()}>{me.value?.name} · {t('Log out')}</button>
    </header>
  );
}

function Help({ onClose }: { onClose: () => void }) {
  const keys = allKeys().filter((key, i, all) => all.findIndex((other) => other.key === key.key) === i);
  return (
    <div class="help" role="dialog" aria-label={t('Keys')}>
      <h2>{t('Keys')}</h2>
      <dl>
        {keys.map((key) => (
          <div key={key.key}>
            <dt><kbd>{key.key}</kbd></dt>
            <dd>{key.what}</dd>
          </div>
        ))}
      </dl>
      <button onClick={onClose}>{t('Close')}</button>
    </div>
  );
}

function Inside() {
  const [isHelping, setHelping] = useState(false);
  useEffect(
    () =>
      addKeys([
        { key: '?', what: t('Show the keys'), run: () => setHelping((was) => !was) },
        { key: '/', what: t('Search'), run: () => document.getElementById('search')?.focus() },
        ...Object.entries(pages).map(([name, page]) => ({ key: page.key, what: page.title(), run: () => go(link(name)) })),
      ]),
    [],
  );
  const page = pages[route.value.page] ?? pages['watch']!;
  useEffect(() => {
    document.title = `${page.title()} · Canh Gác`;
  }, [page]);
  return (
    <>
      <Bar />
      <page.view />
      {isHelping && <Help onClose={() => setHelping(false)} />}
    </>
  );
}

export function App() {
  if (me.value === undefined) return null;
  if (me.value === null) return <Login />;
  if (me.value.must_change_password) return <ChangePassword isFirst onDone={() => void get<Me>('me').then(enter)} />;
  return <Inside />;
}
