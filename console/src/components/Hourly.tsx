// How much a source wrote in each hour of the last week, as bars without axes; an hour without a word is a gap.
import { number, t } from '../i18n';

const width = 170;
const height = 24;

export function Hourly({ series }: { series: number[] }) {
  const most = Math.max(0, ...series);
  if (most === 0) return <span class="quiet">–</span>;
  const label = t('{0} entries in the last hour, {1} in the fullest of the week', number(series[series.length - 1] ?? 0), number(most));
  const step = width / series.length;
  // A few entries beside many must still be seen: the height goes by the root.
  const bars = series.map((count, at) => {
    const tall = count === 0 ? 0 : 3 + Math.sqrt(count / most) * (height - 3);
    return tall === 0 ? '' : `M${(at * step).toFixed(1)} ${height}v-${tall.toFixed(1)}h${step.toFixed(2)}v${tall.toFixed(1)}z`;
  });
  return (
    <svg class="hourly" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <title>{label}</title>
      <path d={bars.join('')} />
    </svg>
  );
}
