import { fullTime, shortTime } from '../time';

export function Time({ when }: { when: string | null }) {
  if (!when) return <span>–</span>;
  return (
    <time dateTime={when} title={fullTime(when)}>
      {shortTime(when)}
    </time>
  );
}
