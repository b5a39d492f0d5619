// One filter of a list, kept in the address: a word and what it may be.
import { route, setFilter } from '../route';

export function Choice({ name, label, choices }: { name: string; label: string; choices: [string, string][] }) {
  return (
    <label>
      {label}
      <select value={route.value.query.get(name) ?? ''} onChange={(event) => setFilter(name, event.currentTarget.value)}>
        {choices.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
      </select>
    </label>
  );
}
