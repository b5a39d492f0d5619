// How many events there were when: bars over the time that was asked for, filling from now back. A bar narrows the time to
// itself. The same figures stand in words for whoever does not see bars.
import { number, t } from '../i18n';
import { fullTime, shortTime } from '../time';

interface Props {
  counts: Map<number, number>; // of a step, by its beginning in ms
  step: number; // seconds
  from: number; // ms
  to: number;
  reached: number; // ms: what is older was not looked at yet
  onNarrow?: (from: number, to: number) => void;
}

const WIDTH = 900;
const HEIGHT = 72;

export function Histogram({ counts, step, from, to, reached, onNarrow }: Props) {
  const size = step * 1000;
  const first = Math.floor(from / size) * size;
  const places = Math.max(1, Math.ceil((to - first) / size));
  const group = Math.ceil(places / 90); // of a long time several steps make one bar
  const bars = Math.ceil(places / group);
  const sums = Array.from({ length: bars }, () => 0);
  for (const [time, count] of counts) {
    const at = Math.floor((time - first) / size / group);
    if (at >= 0 && at < bars) sums[at]! += count;
  }
  const most = Math.max(1, ...sums);
  const whole = sums.reduce((sum, count) => sum + count, 0);
  const width = WIDTH / bars;
  const start = (at: number) => first + at * group * size;
  const unlooked = Math.max(0, Math.min(WIDTH, ((reached - first) / size / group) * width));
  const name = (at: number) => t('{0}: {1}', fullTime(new Date(start(at)).toISOString()).split(' UTC')[0]!, number(sums[at]!));
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t('{0} events between {1} and {2}, at most {3} in one bar',
        number(whole), shortTime(new Date(first).toISOString()), shortTime(new Date(to).toISOString()), number(most))}>
        {unlooked > 0 && <rect class="unlooked" x={0} y={0} width={unlooked} height={HEIGHT} />}
        {sums.map((count, at) => {
          const height = count === 0 ? 0 : Math.max(2, (count / most) * HEIGHT);
          return (
            <g key={at} onClick={count && onNarrow ? () => onNarrow(start(at), start(at + 1)) : undefined}>
              <title>{name(at)}</title>
              <rect class="place" x={at * width} y={0} width={width} height={HEIGHT} />
              <rect class="bar" x={at * width + 0.5} y={HEIGHT - height} width={Math.max(1, width - 1)} height={height} />
            </g>
          );
        })}
      </svg>
      <figcaption>
        <span>{shortTime(new Date(first).toISOString())}</span>
        <span>{t('most {0}', number(most === 1 && whole === 0 ? 0 : most))}</span>
        <span>{shortTime(new Date(to).toISOString())}</span>
      </figcaption>
    </figure>
  );
}
