// What an alert without touched files rests on: what was seen, in words, and for entries of logs the entry itself and a
// way to the others like it.
import type { Alert, Finding } from '../api';
import { t } from '../i18n';
import { link } from '../route';
import { may } from '../session';

const LONG = 500; // letters of an entry, about what a screen shows above the reasons

/** "src_ip=203.0.113.7, user=lan": the values, as a search takes them. */
function sought(group: string): string {
  return group.split(', ').map((part) => part.slice(part.indexOf('=') + 1)).filter(Boolean).map((value) => `"${value.replaceAll('"', '')}"`).join(' ');
}

export function Seen({ alert, finding }: { alert: Alert; finding: Finding }) {
  const value = (what: string) => finding.why.find((reason) => reason.what === what)?.value ?? '';
  const entry = value('log_entry');
  const group = value('log_group');
  const words = `${group ? sought(group) : `"${value('log_field').replace(/^[^:]*: /, '').replaceAll('"', '')}"`} host:${alert.host_name}`;
  const rest = finding.why.filter((reason) => reason.what !== 'log_entry' && reason.what !== 'log_tags'); // Meaning has these
  const written = entry && <pre class="entry">{entry}</pre>;
  const isLong = entry.length > LONG; // what the rule looked at comes first then
  if (finding.why.length === 0) return null;
  return (
    <section aria-labelledby="sheet-seen">
      <h3 id="sheet-seen">{t('What was seen')}</h3>
      {!isLong && written}
      <dl class="figures">
        {rest.map((reason, at) => (
          <div key={at}>
            <dt>{reason.text}</dt>
            <dd>{reason.value}</dd>
          </div>
        ))}
      </dl>
      {isLong && written}
      {entry && may('duty') && <p><a href={link('find', null, { q: words, last: '24h' })}>{t('Find all such entries')}</a></p>}
    </section>
  );
}
