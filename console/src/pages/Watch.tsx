// Trực ban: one sentence when all is quiet, else what to act on now, as much as the screen holds without scrolling; what
// waits for a decision comes first. Hosts as tiles beside it. Drills stand apart and are in no figure.
import type { Alert, Host, Overview, Page, Severity } from '../api';
import { AlertTable, groupAlerts } from '../components/AlertTable';
import { Board } from '../components/Board';
import { Time } from '../components/Time';
import { useData } from '../data';
import { number, t } from '../i18n';
import { link, route } from '../route';
import { height, isNarrow } from '../screen';
import type { AlertPicture } from '../sites';
import { useSteady } from '../steady';
import { AlertSheet } from './AlertSheet';

const ranks: Record<Severity, number> = { critical: 4, high: 3, medium: 2, low: 1, info: 0 };
const rowHeight = 33;
const besides = 225; // px of bar, sentence, table head and link on a wide screen

const isAsking = (alert: Alert): boolean => alert.action === 'paused';
const order = (a: Alert, b: Alert): number =>
  Number(isAsking(b)) - Number(isAsking(a)) || ranks[b.severity] - ranks[a.severity] || b.last.localeCompare(a.last);

function Figures({ counts }: { counts: Record<string, number> }) {
  const grave = counts['sites_grave'] ?? 0;
  const silent = counts['sources_silent'] ?? 0;
  const rows: [string, string, string?][] = [
    [t('Hosts'), number(counts['hosts'] ?? 0)],
    [t('Hosts silent'), number(counts['hosts_silent'] ?? 0)],
    ...(counts['sources'] ? [[t('Silent sources'), number(silent), silent > 0 ? link('hosts', null, { view: 'sources', state: 'silent' }) : undefined] as [string, string, string?]] : []),
    [t('Sites'), number(counts['sites'] ?? 0)],
    [t('Sites to see to'), number(grave), grave > 0 ? link('sites', null, { verdict: 'grave' }) : undefined],
    [t('Events kept'), number(counts['events'] ?? 0)],
    [t('Events lost at the source'), number(counts['dropped'] ?? 0)],
  ];
  return (
    <dl class="figures">
      {rows.map(([name, value, href]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{href ? <a class="high" href={href}>▲ {value}</a> : value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Section({ alerts, room, total, isDrill, pictures }: { alerts: Alert[]; room: number; total: number; isDrill: boolean; pictures?: AlertPicture[] }) {
  const list = useSteady(alerts, (alert) => alert.number, 'watch');
  const groups = groupAlerts(list.rows);
  const shown = groups.slice(0, room).flatMap((group) => [group.first, ...group.rest]);
  const hidden = total - shown.length;
  if (list.rows.length === 0) return null;
  return (
    <>
      <AlertTable list={{ ...list, rows: shown }} page="watch" pictures={pictures} />
      {hidden > 0 && <p><a href={link('alerts', null, isDrill ? { drill: 'yes' } : {})}>{t('and {0} more', number(hidden))}</a></p>}
    </>
  );
}

/** The newest, and what is severe however old it is. */
function together(overview: Overview | null, severe: Page<Alert> | null): Alert[] {
  const all = new Map<number, Alert>();
  for (const alert of [...(overview?.alerts ?? []), ...(severe?.items ?? [])]) all.set(alert.number, alert);
  return [...all.values()].sort(order);
}

/** The clocks of this browser and of the centre, when they disagree by more than a minute. */
function drift(overview: Overview | null): number {
  const minutes = overview ? (Date.now() - Date.parse(overview.now)) / 60_000 : 0;
  return Math.abs(minutes) < 1 ? 0 : Math.round(minutes);
}

function Headline({ value, open }: { value: Overview; open: Alert[] }) {
  const total = Math.max(open.length, (value.counts['alerts_new'] ?? 0) + (value.counts['alerts_taken'] ?? 0));
  const asking = open.filter(isAsking).length;
  if (open.length === 0) return <p class="calm good">{value.quiet_since ? <>{t('Quiet since')} <Time when={value.quiet_since} /></> : t('Quiet')}</p>;
  return (
    <p class="calm">
      {total === 1 ? t('1 thing to see to') : t('{0} things to see to', number(total))}
      {asking > 0 && <b class="critical"> · {t('{0} wait for your decision', number(asking))}</b>}
    </p>
  );
}

export function Watch() {
  const { value, error } = useData<Overview>('overview', ['alerts', 'hosts', 'actions', 'sources']);
  const { value: severe } = useData<Page<Alert>>('alerts?severity=high&limit=50', ['alerts']);
  const { value: hosts } = useData<Page<Host>>('hosts?limit=200', ['alerts', 'hosts']);
  const { value: pictures } = useData<{ items: AlertPicture[] }>('pictures', ['alerts', 'sites']);
  const all = together(value, severe);
  const open = all.filter((alert) => !alert.drill);
  const drills = all.filter((alert) => alert.drill);
  const total = Math.max(open.length, (value?.counts['alerts_new'] ?? 0) + (value?.counts['alerts_taken'] ?? 0));
  const fits = Math.floor((height.value - besides) / rowHeight);
  const drillRoom = Math.min(3, drills.length);
  const room = isNarrow.value ? 20 : Math.max(3, fits - (drills.length > 0 ? drillRoom + 4 : 0));
  const minutes = drift(value);
  return (
    <main class="watch">
      <h1 class="unseen">{t('Watch')}</h1>
      {error && <p role="alert" class="error">{t('The centre cannot be asked right now: {0}', error)}</p>}
      {value?.is_disk_full && <p role="alert" class="error">{t('The centre\'s disk is full: nothing new is accepted until there is room.')}</p>}
      {minutes !== 0 && <p class="high">▲ {t('The clock of this computer is {0} minutes off the centre\'s.', minutes)}</p>}
      <div class="columns">
        <section aria-label={t('What to see to')}>
          <div role="status">{value && <Headline value={value} open={open} />}</div>
          <Section alerts={open} room={room} total={total} isDrill={false} pictures={pictures?.items} />
          {drills.length > 0 && <h2 class="drill-head">{t('Drills')}</h2>}
          <Section alerts={drills} room={drillRoom} total={drills.length} isDrill />
        </section>
        {value && (
          <div class="beside">
            <Board hosts={hosts?.items ?? []} total={(value.counts['hosts'] ?? 0) + (value.counts['senders'] ?? 0)} />
            <Figures counts={value.counts} />
          </div>
        )}
      </div>
      {route.value.id && <AlertSheet number={route.value.id} back={link('watch')} key={route.value.id} />}
    </main>
  );
}
