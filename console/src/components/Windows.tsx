// Deploy windows: times in which a site's editors change it. What is odd then is not told; what is an attack still is.
import { useState } from 'preact/hooks';

import { post, wordsOf } from '../api';
import { t } from '../i18n';
import { tell } from '../notice';
import { may } from '../session';
import type { SiteFull, Window } from '../sites';
import { Dialog } from './Dialog';
import { Time } from './Time';

/** What the field says, which is in Viet Nam's time whatever the computer's own. */
const asTime = (local: string): string => `${local}:00+07:00`;

export function WindowForm({ site, onDone, onCancel }: { site: SiteFull; onDone: () => void; onCancel: () => void }) {
  const [begins, setBegins] = useState('');
  const [minutes, setMinutes] = useState('60');
  const [reason, setReason] = useState('');
  const [error, setError] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      const { number } = await post<{ number: number }>(`sites/${site.number}/windows`, {
        begins: begins ? asTime(begins) : '', minutes: Number(minutes), reason: reason.normalize('NFC').trim() });
      tell(t('A deploy window is set'), { label: t('Undo'), run: () => post(`sites/${site.number}/windows/${number}/close`).then(onDone) });
      onDone();
    } catch (problem) {
      setError(wordsOf(problem));
    }
  };
  return (
    <Dialog title={t('Deploy window for {0}', site.name)} onCancel={onCancel}>
      <form onSubmit={submit}>
        <p>{t('What changes in this time counts as the work of its editors. Signs of an attack are told all the same.')}</p>
        <label>{t('Begins (empty: now)')}<input type="datetime-local" value={begins} onInput={(event) => setBegins(event.currentTarget.value)} /></label>
        <label>
          {t('Lasts')}
          <select value={minutes} onChange={(event) => setMinutes(event.currentTarget.value)}>
            {[['30', t('30 minutes')], ['60', t('1 hour')], ['120', t('2 hours')], ['480', t('8 hours')], ['1440', t('1 day')], ['4320', t('3 days')]]
              .map(([value, word]) => <option key={value} value={value}>{word}</option>)}
          </select>
        </label>
        <label>{t('What is done to the site')}<textarea required rows={2} minLength={3} maxLength={500} value={reason} autofocus onInput={(event) => setReason(event.currentTarget.value)} /></label>
        {error && <p role="alert" class="error">{error}</p>}
        <div class="acts">
          <button class="primary">{t('Set it')}</button>
          <button type="button" onClick={onCancel}>{t('Cancel')}</button>
        </div>
      </form>
    </Dialog>
  );
}

export function Windows({ site, onDone }: { site: SiteFull; onDone: () => void }) {
  const now = Date.now();
  const rows = site.windows.filter((window) => Date.parse(window.ends) > now - 7 * 86_400_000).slice(0, 5);
  const close = (window: Window) =>
    void post(`sites/${site.number}/windows/${window.number}/close`).then(onDone, (reason: unknown) => tell(wordsOf(reason), undefined, true));
  if (rows.length === 0) return null;
  return (
    <section aria-labelledby="site-windows">
      <h3 id="site-windows">{t('Deploy windows')}</h3>
      <ul class="history">
        {rows.map((window) => (
          <li key={window.number}>
            {window.open && <b>● {t('open now')} · </b>}<Time when={window.begins} /> – <Time when={window.ends} /> · {window.actor} <span class="quiet">“{window.reason}”</span>
            {may('duty') && Date.parse(window.ends) > now && <button onClick={() => close(window)}>{t('Close')}</button>}
          </li>
        ))}
      </ul>
    </section>
  );
}
