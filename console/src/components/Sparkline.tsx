// How fast a site answered during the last day, as a line without axes; where it did not answer there is a mark below.
import { number, t } from '../i18n';
import type { Site } from '../sites';

const width = 116;
const height = 24;

function points(series: (number | null)[], most: number): string[] {
  const lines: string[] = [];
  let line: string[] = [];
  series.forEach((ms, at) => {
    if (ms === null || ms < 0) {
      if (line.length > 0) lines.push(line.join(' '));
      line = [];
      return;
    }
    const x = 2 + (at / Math.max(1, series.length - 1)) * (width - 4);
    const y = height - 5 - (ms / most) * (height - 9);
    line.push(`${x.toFixed(1)},${y.toFixed(1)}`);
  });
  if (line.length > 0) lines.push(line.join(' '));
  return lines;
}

export function Sparkline({ site }: { site: Site }) {
  const times = site.series.filter((ms): ms is number => ms !== null && ms >= 0);
  const failures = site.series.filter((ms) => ms === -1).length;
  if (times.length === 0 && failures === 0) return <span class="quiet">–</span>;
  const most = Math.max(400, ...times);
  const last = times[times.length - 1];
  const label = [
    last === undefined ? t('no answer all day') : t('answers in {0} ms, in {1} ms at the slowest of the day', number(last), number(Math.max(...times))),
    failures > 0 ? t('no answer in {0} quarters of an hour', number(failures)) : '',
  ].filter(Boolean).join('; ');
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <title>{label}</title>
      {points(site.series, most).map((line) => (line.includes(' ')
        ? <polyline key={line} points={line} />
        : <circle key={line} cx={line.split(',')[0]} cy={line.split(',')[1]} r="1.5" />))}
      {site.series.map((ms, at) => ms === -1 && <rect key={at} class="gap" x={(2 + (at / (site.series.length - 1)) * (width - 4) - 1).toFixed(1)} y={height - 4} width="2" height="4" />)}
    </svg>
  );
}
