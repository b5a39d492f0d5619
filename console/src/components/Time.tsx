// A time: short to read, whole on hover, and whole in print, where nobody can hover.
import { fullTime, shortTime } from '../time';

export function Time({ when }: { when: string | null }) {
  if (!when) return <span>–</span>;
  return (
    <time dateTime={when} title={fullTime(when)}>
      <span class="screen-only">{shortTime(when)}</span>
      <span class="print-only">{fullTime(when)}</span>
    </time>
  );
}
