// Adds a site or changes one. Nobody is watched without a paper that permits it.
import { useState } from 'preact/hooks';

import { post, wordsOf } from '../api';
import { t } from '../i18n';
import { tell } from '../notice';
import { changeSite, services, serviceWord, views, viewWord, type Service, type Site } from '../sites';
import { Dialog } from './Dialog';

interface Props {
  site: Site | null;
  units: string[];
  onDone: () => void;
  onCancel: () => void;
}

const clean = (text: string): string => text.normalize('NFC').trim();

export function SiteForm({ site, units, onDone, onCancel }: Props) {
  const [form, setForm] = useState({
    name: site?.name ?? '', url: site?.url ?? 'https://', unit: site?.unit ?? '', service: site?.service ?? ('portal' as Service),
    permission: site?.permission ?? '', views: site?.views ?? views, reason: '' });
  const [error, setError] = useState('');
  const set = (part: Partial<typeof form>) => setForm({ ...form, ...part });
  const toggle = (view: string, is: boolean) => set({ views: views.filter((each) => (each === view ? is : form.views.includes(each))) });
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = { name: clean(form.name), url: clean(form.url), unit: clean(form.unit), service: form.service, permission: clean(form.permission),
      views: form.views.length === views.length ? '' : form.views.join(' ') };
    try {
      if (site) await changeSite(site.number, { ...body, reason: clean(form.reason) });
      else await post('sites', body);
      tell(site ? t('{0} is changed', body.name) : t('{0} is watched from now on', body.name));
      onDone();
    } catch (reason) {
      setError(wordsOf(reason));
    }
  };
  return (
    <Dialog title={site ? t('Change {0}', site.name) : t('Watch a site')} onCancel={onCancel}>
      <form onSubmit={submit}>
        <label>{t('Address of its first page')}<input required type="url" maxLength={2000} value={form.url} autofocus onInput={(event) => set({ url: event.currentTarget.value })} /></label>
        <label>{t('Name')}<input required maxLength={120} value={form.name} onInput={(event) => set({ name: event.currentTarget.value })} /></label>
        <label>
          {t('Unit that owns it')}
          <input required maxLength={120} list="site-units" value={form.unit} onInput={(event) => set({ unit: event.currentTarget.value })} />
          <datalist id="site-units">{units.map((unit) => <option key={unit} value={unit} />)}</datalist>
        </label>
        <label>
          {t('What it is for')}
          <select value={form.service} onChange={(event) => set({ service: event.currentTarget.value as Service })}>
            {services.map((each) => <option key={each} value={each}>{serviceWord(each)}</option>)}
          </select>
        </label>
        <label>
          {t('Paper that permits the watch: number, date, who signed')}
          <textarea required rows={2} minLength={3} maxLength={500} value={form.permission} onInput={(event) => set({ permission: event.currentTarget.value })} />
        </label>
        <fieldset>
          <legend>{t('Looked at as')}</legend>
          {views.map((view) => (
            <label key={view} class="choice">
              <input type="checkbox" checked={form.views.includes(view)} disabled={form.views.length === 1 && form.views.includes(view)}
                onChange={(event) => toggle(view, event.currentTarget.checked)} />
              {viewWord(view)}
            </label>
          ))}
        </fieldset>
        {site && <label>{t('Reason')}<input required minLength={3} maxLength={300} value={form.reason} onInput={(event) => set({ reason: event.currentTarget.value })} /></label>}
        {error && <p role="alert" class="error">{error}</p>}
        <div class="acts">
          <button class="primary">{site ? t('Save') : t('Watch it')}</button>
          <button type="button" onClick={onCancel}>{t('Cancel')}</button>
        </div>
      </form>
    </Dialog>
  );
}
