// What is searched for, in one field; the names of fields are offered for the word that is being typed. As ARIA's pattern
// of a combobox with a list has it: arrows choose, Enter or Tab takes, Escape closes; the list never takes the focus.
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import fields from 'catalogue:fields';

import { fold, t } from '../i18n';

const SHOWN = 8;

interface Word {
  from: number;
  to: number;
  names: string[];
}

/** The names that the word before the caret may become: those that begin with it, then those that have it inside. */
function namesFor(field: HTMLInputElement, more: string[]): Word {
  const to = field.selectionStart ?? field.value.length;
  const typed = /(?:^|[\s(])-?\(*([\p{L}_@][\p{L}\d_.@-]*)$/u.exec(field.value.slice(0, to))?.[1] ?? '';
  const wanted = fold(typed);
  const isQuoted = (field.value.slice(0, to).match(/"/g)?.length ?? 0) % 2 === 1;
  const known = [...new Set([...fields, ...more])].filter((name) => fold(name).includes(wanted));
  const begin = (name: string) => (fold(name).startsWith(wanted) ? 0 : 1);
  const isEnd = /^(\s|\)|$)/.test(field.value.slice(to));
  return { from: to - typed.length, to, names: wanted && isEnd && !isQuoted ? known.sort((a, b) => begin(a) - begin(b)).slice(0, SHOWN) : [] };
}

export function Terms({ field, typed, more }: { field: RefObject<HTMLInputElement>; typed: string; more: string[] }) {
  const [word, setWord] = useState<Word | null>(null);
  const [chosen, setChosen] = useState(-1);
  const close = () => {
    setWord(null);
    setChosen(-1);
  };
  const offer = () => {
    const next = field.current ? namesFor(field.current, more) : null;
    setWord(next?.names.length ? next : null);
    setChosen(-1);
  };
  const take = (name: string) => {
    if (!word || !field.current) return;
    field.current.setRangeText(`${name}:`, word.from, word.to, 'end');
    field.current.focus();
    close();
  };
  useEffect(() => {
    const ended = () => offer();
    field.current?.addEventListener('compositionend', ended); // Preact knows no name for it
    return () => field.current?.removeEventListener('compositionend', ended);
  });
  const press = (event: KeyboardEvent) => {
    if (!word || event.isComposing) return;
    const name = word.names[chosen];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setChosen(chosen < 0 ? (step > 0 ? 0 : word.names.length - 1) : (chosen + step + word.names.length) % word.names.length);
    } else if (event.key === 'Escape') {
      close();
    } else if ((event.key === 'Enter' || event.key === 'Tab') && name) {
      take(name);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="search terms">
      <label for="search">{t('Events that hold')}</label>
      <input ref={field} type="text" id="search" key={typed} defaultValue={typed} maxLength={500} autocomplete="off" spellcheck={false}
        placeholder={t('failed password user:root -host:test')} role="combobox" aria-autocomplete="list" aria-expanded={word !== null}
        aria-controls="search-fields" aria-activedescendant={chosen >= 0 ? `search-field-${chosen}` : undefined}
        onInput={(event) => !event.isComposing && offer()} onKeyDown={press} onBlur={close} />
      <ul id="search-fields" role="listbox" aria-label={t('Names of fields')} hidden={word === null}>
        {word?.names.map((name, i) => (
          <li key={name} id={`search-field-${i}`} role="option" aria-selected={i === chosen}
            onPointerDown={(event) => {
              event.preventDefault(); // the field keeps the focus
              take(name);
            }}>{name}</li>
        ))}
      </ul>
    </div>
  );
}
