// How a site or a look stands: shape, word and colour together.
import type { State } from '../sites';

export function SiteMark({ state }: { state: State }) {
  return (
    <span class={`mark ${state.tone}`}>
      <span aria-hidden="true">{state.shape}</span>
      <span>{state.word}</span>
    </span>
  );
}
