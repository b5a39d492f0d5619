// The centre's settings, made from its rows: what counts now, where it is from, what stood before, what a change does.
// What the console may not change is shown too, with the reason.
import { useState } from 'preact/hooks';

import type { Setting } from '../../api';
import { Reason, type Ask } from '../../components/Reason';
import { useData } from '../../data';
import { t } from '../../i18n';
import { SettingRow } from './SettingRow';

function Fixed({ settings }: { settings: Setting[] }) {
  return (
    <section>
      <h2>{t('Only on the centre\'s machine')}</h2>
      <p>{t('These stand in centre.conf, or on the command line; who may log in there as root changes them and restarts the centre.')}</p>
      <table class="fixed">
        <thead>
          <tr>
            <th scope="col">{t('Setting')}</th>
            <th scope="col">{t('Value')}</th>
            <th scope="col">{t('Why not here')}</th>
          </tr>
        </thead>
        <tbody>
          {settings.map((setting) => (
            <tr key={setting.name}>
              <td><code>{setting.name}</code> <span class="quiet">{setting.help}</span></td>
              <td><code>{setting.text || '–'}</code></td>
              <td>{setting.effect === 'fixed' ? setting.why : t('it was given on the command line, which counts more')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Centre() {
  const { value, error, reload } = useData<{ version: string; settings: Setting[] }>('settings', []);
  const [ask, setAsk] = useState<Ask | null>(null);
  const all = value?.settings ?? [];
  const isOpen = (setting: Setting): boolean => setting.effect !== 'fixed' && setting.source !== 'command-line';
  const done = () => {
    setAsk(null);
    reload();
  };
  return (
    <>
      <section>
        <h2>{t('Centre')} <span class="quiet">{value?.version}</span></h2>
        {error && <p role="alert" class="error">{error}</p>}
        {all.filter(isOpen).map((setting) => <SettingRow key={`${setting.name} ${setting.seen}`} setting={setting} onAsk={setAsk} onDone={done} />)}
      </section>
      {value && <Fixed settings={all.filter((setting) => !isOpen(setting))} />}
      {ask && <Reason key={ask.title} ask={ask} onCancel={() => setAsk(null)} />}
    </>
  );
}
