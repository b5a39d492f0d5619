// The province as a board: one tile a unit, with name and word where something is wrong, as a bare shape where all is in
// order. A tile chooses its unit in the table below.
import { number, t } from '../i18n';
import { link, route } from '../route';
import { unitState, type Unit } from '../sites';
import { SiteMark } from './SiteMark';

const ranks: Record<string, number> = { critical: 0, high: 1, medium: 2, quiet: 3, good: 4 };

function href(unit: Unit): string {
  const query = new URLSearchParams(route.value.query);
  if (query.get('unit') === unit.name) query.delete('unit');
  else query.set('unit', unit.name);
  return link('sites', null, query);
}

export function UnitBoard({ units }: { units: Unit[] }) {
  const chosen = route.value.query.get('unit');
  const rows = units.map((unit) => ({ unit, state: unitState(unit) }))
    .sort((a, b) => ranks[a.state.tone]! - ranks[b.state.tone]! || a.unit.name.localeCompare(b.unit.name, 'vi'));
  const loud = rows.filter(({ state }) => ranks[state.tone]! < 3);
  const calm = rows.filter(({ state }) => ranks[state.tone]! >= 3);
  const count = (unit: Unit): string => (unit.sites === 1 ? t('1 site') : t('{0} sites', number(unit.sites)));
  return (
    <section aria-labelledby="unit-board">
      <h2 id="unit-board" class="unseen">{t('Units')}</h2>
      {loud.length > 0 && (
        <ul class="units">
          {loud.map(({ unit, state }) => (
            <li key={unit.name}>
              <a class={state.tone} href={href(unit)} aria-current={chosen === unit.name ? 'true' : undefined}>
                <b>{unit.name}</b>
                <span><SiteMark state={state} /> <span class="quiet">{count(unit)}</span></span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {calm.length > 0 && (
        <ul class="board">
          {calm.map(({ unit, state }) => {
            const label = `${unit.name}: ${state.word}, ${count(unit)}`;
            return (
              <li key={unit.name}>
                <a class={state.tone} href={href(unit)} title={label} aria-label={label} aria-current={chosen === unit.name ? 'true' : undefined}>
                  <span aria-hidden="true">{state.shape}</span>
                </a>
              </li>
            );
          })}
          <li class="quiet legend">{calm.length === 1 ? t('1 unit is in order or not looked at yet') : t('{0} units are in order or not looked at yet', number(calm.length))}</li>
        </ul>
      )}
    </section>
  );
}
