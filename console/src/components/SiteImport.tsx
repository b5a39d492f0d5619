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
const rows = 500; // the same
const most = 20_000; // lines: a longer list is another file
const heaviest = 4e6; // bytes of a file
const told = 50;

/** Each with the number of its first line behind the head. */
function pieces(head: string, lines: string[]): { csv: string; line: number }[] {
  const bytes = new TextEncoder();
  const list: { csv: string; line: number }[] = [];
  let begun = 0;
  let size = 0;
  for (const [at, line] of lines.entries()) {
    const added = bytes.encode(line).length + 1;
    if (at > begun && (size + added > piece || at - begun === rows)) {
      list.push({ csv: [head, ...lines.slice(begun, at)].join('\n'), line: begun + 2 });
      begun = at;
      size = 0;
    }
    size += added;
  }
  return [...list, { csv: [head, ...lines.slice(begun)].join('\n'), line: begun + 2 }];
}

export function SiteImport({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const [text, setText] = useState('');
  const [permission, setPermission] = useState('');
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState('');
  const read = async (files: FileList | null) => {
    const file = files?.[0];
    if (file && file.size > heaviest) setError(t('The file is larger than {0} MB: is it the right one? Nothing of it was taken.', number(heaviest / 1e6)));
    else if (file) setText(await file.text());
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const sum: Answer = { added: 0, changed: 0, refused: 0, why: '' };
    const [head = '', ...lines] = text.normalize('NFC').replace(/^\uFEFF/, '').trimEnd().split(/\r?\n/);
    const isTooLong = lines.length > most;
    setError(isTooLong ? t('The list is longer than {0} lines: is it the right one? Nothing of it was taken.', number(most)) : '');
    setAnswer(null);
    if (isTooLong) return;
    try {
      for (const part of pieces(head, lines)) {
        const came = await post<Answer>('sites/import', { ...part, permission: permission.normalize('NFC').trim() });
        sum.added += came.added;
        sum.changed += came.changed;
        sum.refused += came.refused;
        sum.why = [...sum.why.split('\n').filter(Boolean), ...came.why.split('\n')].slice(0, told).join('\n');
      }
    } catch (reason) {
      setError(wordsOf(reason));
    }
    if (sum.added + sum.changed + sum.refused > 0) {
      setAnswer(sum);
      onDone();
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
