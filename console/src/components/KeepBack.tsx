// Filters in one click: the rule of an alert of logs is not to speak of this host, address, user or path any more.
import { useState } from 'preact/hooks';

import type { Alert, Finding } from '../api';
import { t } from '../i18n';
import { link } from '../route';
import { keepable, keepAsk } from '../rules';
import { Reason, type Ask } from './Reason';

export function KeepBack({ alert, finding }: { alert: Alert; finding: Finding }) {
  const [ask, setAsk] = useState<Ask | null>(null);
  const values = (what: string) => finding.why.filter((reason) => reason.what === what).map((reason) => reason.value);
  const kept = keepable(alert.host_name, values('log_group')[0] ?? '', values('log_field'));
  const rule = values('log_rule')[0];
  if (!rule) return null;
  return (
    <section aria-labelledby="sheet-keep">
      <h3 id="sheet-keep">{t('Tell this rule no more for')}</h3>
      <div class="acts" role="group" aria-labelledby="sheet-keep">
        {kept.map((each) => (
          <button key={each.field} class="keep" onClick={() => setAsk(keepAsk(alert.number, alert.title, each, () => {}))}>{each.words}</button>
        ))}
      </div>
      <p><a href={link('rules', rule)}>{t('The rule, its hits and filters')}</a></p>
      {ask && (
        <Reason key={ask.title} onCancel={() => setAsk(null)} ask={{
          ...ask,
          onDone: async (reason, days) => {
            await ask.onDone(reason, days);
            setAsk(null);
          },
        }} />
      )}
    </section>
  );
}
