// Sources of logs as rows: who writes, how much, since when it is silent; with a person's leave to be so.
import { useState } from 'preact/hooks';

import { post, wordsOf } from '../api';
import { number, t } from '../i18n';
import { tell } from '../notice';
import { link } from '../route';
import { may } from '../session';
import { muteAsk, sourceName, sourceState, usual, type LogSource } from '../sources';
import { Hourly } from './Hourly';
import { Reason } from './Reason';
import { Time } from './Time';

async function unmute(source: LogSource, onChange: () => void): Promise<void> {
  try {
    await post(`sources/${source.number}/unmute`);
    tell(t('{0} is watched again', sourceName(source)));
    onChange();
  } catch (reason) {
    tell(wordsOf(reason), undefined, true);
  }
}

function account(source: LogSource): string {
  const parts = [
    source.matched > 0 ? t('{0} matched', number(source.matched)) : '',
    source.faulty > 0 ? t('{0} not well formed', number(source.faulty)) : '',
    source.unjudged > 0 ? t('{0} not judged', number(source.unjudged)) : '',
    source.dropped > 0 ? t('{0} lost', number(source.dropped)) : '',
  ];
  return parts.filter(Boolean).join(' · ');
}

interface RowProps {
  source: LogSource;
  hasHost: boolean;
  onMute: () => void;
  onChange: () => void;
}

function Row({ source, hasHost, onMute, onChange }: RowProps) {
  const [state, tone] = sourceState(source);
  const why = source.state === 'muted' ? `${source.muted_why} (${source.muted_by})` : '';
  return (
    <tr data-number={source.number}>
      {hasHost && <td><a href={link('hosts', source.host, { view: 'sources' })}>{source.host_name}</a></td>}
      <td class="source" title={sourceName(source)}>
        {sourceName(source)}
        {may('duty') && source.state !== 'muted' && <button class="rowact" onClick={onMute}>{t('Watch no longer')}</button>}
        {may('duty') && source.state === 'muted' && <button class="rowact" onClick={() => void unmute(source, onChange)}>{t('Watch again')}</button>}
        <span class="narrow"><span class={tone}>{state}</span> · <Time when={source.last} /></span>
      </td>
      <td class={`wide state ${tone}`} title={why}>{state}</td>
      {hasHost && <td class="wide">{source.format}</td>}
      <td class="wide"><Hourly series={source.series} /></td>
      <td class="number wide">{number(source.entries)}<span class="quiet account">{account(source)}</span></td>
      {hasHost && <td class="number wide">{usual(source)}</td>}
      <td class="number wide"><Time when={source.last} /></td>
    </tr>
  );
}

interface Props {
  sources: LogSource[];
  /** Whether each row names its host. */
  hasHost: boolean;
  onChange: () => void;
}

export function SourceTable({ sources, hasHost, onChange }: Props) {
  const [muting, setMuting] = useState<LogSource | null>(null);
  return (
    <>
      <table class="hosts sources">
        <thead>
          <tr>
            {hasHost && <th scope="col">{t('Host')}</th>}
            <th scope="col">{t('Source')}</th>
            <th scope="col" class="wide">{t('State')}</th>
            {hasHost && <th scope="col" class="wide">{t('Format')}</th>}
            <th scope="col" class="wide">{t('Entries each hour, 7 days')}</th>
            <th scope="col" class="number wide">{t('Entries')}</th>
            {hasHost && <th scope="col" class="number wide">{t('Longest usual silence')}</th>}
            <th scope="col" class="number wide">{t('Last entry')}</th>
          </tr>
        </thead>
        <tbody>
          {sources.map((source) => <Row key={source.number} source={source} hasHost={hasHost} onMute={() => setMuting(source)} onChange={onChange} />)}
        </tbody>
      </table>
      {muting && <Reason ask={muteAsk(muting, () => { setMuting(null); onChange(); })} onCancel={() => setMuting(null)} />}
    </>
  );
}
