// A page's text before and after, row beside row, what is new and what is gone marked in place. The divider between them is
// a slider: drawn with the pointer, moved with the arrow keys. Words of a page are text here and nothing else.
import { useState } from 'preact/hooks';

import { diff, stretches, type DiffRow, type Stretch } from '../diff';
import { number, t } from '../i18n';
import type { Passage } from '../sites';

const most = 400; // rows that are drawn at once

function Cell({ passage, mark }: { passage: Passage | null; mark: 'same' | 'new' | 'gone' }) {
  if (!passage) return <div class="passage" />;
  const words = <>{passage.link ? '↗ ' : ''}<bdi>{passage.text}</bdi></>;
  return (
    <div class={`passage ${mark}`}>
      {mark === 'new' && <ins>{words}</ins>}
      {mark === 'gone' && <del>{words}</del>}
      {mark === 'same' && words}
      {passage.hidden && <span class="tag high">{t('hidden from people')}</span>}
    </div>
  );
}

function Row({ row }: { row: DiffRow }) {
  return (
    <div class="pair">
      <Cell passage={row.before} mark={row.isSame ? 'same' : 'gone'} />
      <Cell passage={row.after} mark={row.isSame ? 'same' : 'new'} />
    </div>
  );
}

function Folded({ stretch }: { stretch: Stretch }) {
  const [isOpen, setOpen] = useState(false);
  if (!isOpen && stretch.rows.length > 1) {
    return <button class="link folded" onClick={() => setOpen(true)}>⋯ {t('{0} passages as before', number(stretch.rows.length))}</button>;
  }
  return <>{stretch.rows.map((row, at) => <Row key={at} row={row} />)}</>;
}

export function BeforeAfter({ before, after }: { before: Passage[]; after: Passage[] }) {
  const [cut, setCut] = useState(50);
  const rows = diff(before, after);
  const fresh = rows.filter((row) => !row.isSame && row.after).length;
  const gone = rows.filter((row) => !row.isSame && row.before).length;
  const label = t('Divider between before and after');
  return (
    <div class="compare" style={{ '--cut': `${cut}%` }}>
      <p class="quiet">{t('{0} passages are new, {1} are gone.', number(fresh), number(gone))}</p>
      <div class="pair heads">
        <b>{t('Before')}</b>
        <b>{t('After')}</b>
      </div>
      <input class="divider" type="range" min={10} max={90} step={5} value={cut} aria-label={label} title={label}
        aria-valuetext={t('{0} % before', cut)} onInput={(event) => setCut(Number(event.currentTarget.value))} />
      {stretches(rows.slice(0, most)).map((stretch, at) => (stretch.isSame
        ? <Folded key={at} stretch={stretch} />
        : stretch.rows.map((row, i) => <Row key={`${at}.${i}`} row={row} />)))}
      {rows.length > most && <p class="quiet">{t('and {0} more', number(rows.length - most))}</p>}
    </div>
  );
}
