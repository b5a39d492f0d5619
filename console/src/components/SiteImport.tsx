// A list of sites out of a spreadsheet, saved as CSV: sent in pieces that the centre takes, each with the head line; what was
// refused is told by line.
import { useState } from 'preact/hooks';

import { post, wordsOf } from '../api';
import { number, t } from '../i18n';
import { Dialog } from './Dialog';

interface Answer {
  added: number;
  changed: number;
  refused: number;
  why: string;
}

const piece = 32_000; // bytes, under the centre's limit

function pieces(text: string): string[] {
  const [head = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const bytes = new TextEncoder();
  const list: string[] = [];
  let part = head;
  for (const line of lines) {
    if (bytes.encode(part).length + bytes.encode(line).length > piece) {
      list.push(part);
      part = head;
    }
    part += `\n${line}`;
  }
  return [...list, part];
}

export function SiteImport({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const [text, setText] = useState('');
  const [permission, setPermission] = useState('');
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState('');
  const read = async (files: FileList | null) => {
    const file = files?.[0];
    if (file) setText(await file.text());
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const sum: Answer = { added: 0, changed: 0, refused: 0, why: '' };
    setError('');
    try {
      for (const csv of pieces(text.normalize('NFC'))) {
        const part = await post<Answer>('sites/import', { csv, permission: permission.normalize('NFC').trim() });
        sum.added += part.added;
        sum.changed += part.changed;
        sum.refused += part.refused;
        sum.why += part.why;
      }
      setAnswer(sum);
      onDone();
    } catch (reason) {
      setError(wordsOf(reason));
    }
  };
  return (
    <Dialog title={t('Watch a list of sites')} onCancel={onCancel}>
      <form onSubmit={submit}>
        <p class="quiet">{t('The first line names the columns: name, url, unit, and if there are, service, permission.')}</p>
        <label>{t('CSV file')}<input type="file" accept=".csv,text/csv,text/plain" onChange={(event) => void read(event.currentTarget.files)} /></label>
        <label>{t('or its lines')}<textarea required rows={6} value={text} spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} /></label>
        <label>
          {t('Paper that permits the watch, where a line names none')}
          <input maxLength={500} value={permission} onInput={(event) => setPermission(event.currentTarget.value)} />
        </label>
        {error && <p role="alert" class="error">{error}</p>}
        {answer && (
          <div role="status">
            <p><b>{t('{0} added, {1} changed, {2} refused', number(answer.added), number(answer.changed), number(answer.refused))}</b></p>
            {answer.why && <pre class="lines">{answer.why.trim()}</pre>}
          </div>
        )}
        <div class="acts">
          <button class="primary" disabled={text.trim() === ''}>{t('Watch it')}</button>
          <button type="button" onClick={onCancel}>{answer ? t('Close') : t('Cancel')}</button>
        </div>
      </form>
    </Dialog>
  );
}
