// One setting: its field, checked as it is typed against its own row, and what can be done with it.
import { useState } from 'preact/hooks';

import { patch } from '../../acts';
import type { Setting } from '../../api';
import type { Ask } from '../../components/Reason';
import { Time } from '../../components/Time';
import { number, t } from '../../i18n';
import { tell } from '../../notice';
import { durationOf } from '../../time';

const units = (): [string, string][] => [['s', t('seconds')], ['m', t('minutes')], ['h', t('hours')], ['d', t('days')]];

/** A value as people say it: 90d is "90 days". */
export function valueWord(setting: Setting, text: string | null): string {
  const match = setting.type === 'duration' ? /^(\d+)([smhd])$/.exec(text ?? '') : null;
  if (match) return `${number(Number(match[1]))} ${units().find(([unit]) => unit === match[2])![1]}`;
  if (setting.type === 'number' && text && /^\d+$/.test(text)) return number(Number(text));
  if (setting.type === 'choice') return { vi: 'Tiếng Việt', en: 'English' }[text ?? ''] ?? text ?? '–';
  return text || '–';
}

/** What is wrong with it, or nothing. Core checks the same again. */
function wrongWith(setting: Setting, text: string): string {
  if (text.trim() === '') return t('It must not be empty.');
  if (setting.type !== 'number' && setting.type !== 'duration') return '';
  const measure = (value: string): number | null => (setting.type === 'duration' ? durationOf(value) : /^\d{1,15}$/.test(value) ? Number(value) : null);
  const value = measure(text);
  if (value === null) return t('A whole number is wanted here.');
  if (setting.minimum && value < measure(setting.minimum)!) return t('At least {0}.', valueWord(setting, setting.minimum));
  if (setting.maximum && value > measure(setting.maximum)!) return t('At most {0}.', valueWord(setting, setting.maximum));
  return '';
}

interface FieldProps {
  setting: Setting;
  text: string;
  id: string;
  isWrong: boolean;
  onText: (text: string) => void;
}

function Field({ setting, text, id, isWrong, onText }: FieldProps) {
  const shared = { id, 'aria-invalid': isWrong, 'aria-describedby': `${id}-hint ${id}-wrong` };
  if (setting.type === 'choice') {
    return (
      <select {...shared} value={text} onChange={(event) => onText(event.currentTarget.value)}>
        {(setting.maximum ?? '').split('|').map((word) => <option key={word} value={word}>{valueWord(setting, word)}</option>)}
      </select>
    );
  }
  if (setting.type === 'duration') {
    const [, amount = text, unit = 's'] = /^(.*?)([smhd])$/.exec(text) ?? [];
    return (
      <span class="amount">
        <input {...shared} inputMode="numeric" maxLength={9} value={amount} onInput={(event) => onText(`${event.currentTarget.value.trim()}${unit}`)} />
        <select aria-label={t('Unit of {0}', setting.name)} value={unit} onChange={(event) => onText(`${amount}${event.currentTarget.value}`)}>
          {units().map(([value, word]) => <option key={value} value={value}>{word}</option>)}
        </select>
      </span>
    );
  }
  return (
    <input {...shared} inputMode={setting.type === 'number' ? 'numeric' : undefined} maxLength={setting.type === 'number' ? 15 : 200} value={text}
      onInput={(event) => onText(event.currentTarget.value)} />
  );
}

function sourceWord(setting: Setting): string {
  const words: Record<Setting['source'], string> = {
    default: t('default'),
    file: t('from centre.conf'),
    console: t('set here'),
    'command-line': t('from the command line'),
  };
  return words[setting.source];
}

function bounds(setting: Setting): string {
  const parts = [sourceWord(setting)];
  if (setting.source !== 'default' && setting.default) parts.push(t('default {0}', valueWord(setting, setting.default)));
  if (setting.minimum && setting.type !== 'choice') parts.push(t('from {0} to {1}', valueWord(setting, setting.minimum), valueWord(setting, setting.maximum)));
  parts.push(setting.effect === 'now' ? t('counts at once') : t('counts when the centre is restarted'));
  return parts.join(' · ');
}

export function SettingRow({ setting, onAsk, onDone }: { setting: Setting; onAsk: (ask: Ask) => void; onDone: () => void }) {
  const [text, setText] = useState(setting.text);
  const id = `setting-${setting.name}`;
  const isChanged = text.trim() !== setting.text;
  const wrong = isChanged ? wrongWith(setting, text) : '';
  const before = setting.before ?? setting.below;
  const set = (value: string | null, seen: number, reason: string) => patch(`settings/${setting.name}`, { value: value ?? undefined, seen, reason });

  const ask = (value: string | null, title: string): Ask => ({
    title,
    act: t('Change'),
    consequence: t('{0}: {1} → {2}.', setting.name, valueWord(setting, setting.text), valueWord(setting, value ?? setting.below)),
    remedy: [setting.why ?? '', setting.effect === 'now' ? t('It counts at once.') : t('It counts when the centre is restarted: systemctl restart canhgac-centre.')].filter(Boolean).join(' '),
    onDone: async (reason) => {
      await set(value, setting.seen, reason);
      tell(t('{0} is changed', setting.name));
      onDone();
    },
  });
  const save = (event: Event) => {
    event.preventDefault();
    if (isChanged && !wrong) onAsk(ask(text.normalize('NFC').trim(), t('Change {0}', setting.name)));
  };
  return (
    <form class="setting" onSubmit={save} noValidate>
      <label for={id}>{setting.help} <code>{setting.name}</code></label>
      <div class="line">
        <Field setting={setting} text={text} id={id} isWrong={wrong !== ''} onText={setText} />
        {isChanged && <button class={wrong ? '' : 'primary'} disabled={wrong !== ''}>{t('Save')}</button>}
        {isChanged && <button type="button" class="plain" onClick={() => setText(setting.text)}>{t('Cancel')}</button>}
      </div>
      <p class="error" id={`${id}-wrong`} role="status">{wrong}</p>
      <p class="quiet" id={`${id}-hint`}>{bounds(setting)}{setting.why && ` · ${setting.why}`}</p>
      {setting.changed && (
        <p class="quiet">
          {t('Before: {0}', valueWord(setting, before))} · {setting.changed_by}, <Time when={setting.changed} />
          {setting.reason && ` “${setting.reason}”`}{' '}
          {before !== setting.text && <button type="button" class="link" onClick={() => onAsk(ask(setting.before, t('Back to {0}', valueWord(setting, before))))}>{t('Undo')}</button>}{' '}
          {setting.source === 'console' && before !== setting.below && (
            <button type="button" class="link" onClick={() => onAsk(ask(null, t('Back to {0}', valueWord(setting, setting.below))))}>{t('Back to {0}', valueWord(setting, setting.below))}</button>
          )}
        </p>
      )}
    </form>
  );
}
