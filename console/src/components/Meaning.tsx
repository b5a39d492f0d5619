// What a rule for logs is about, in its writer's words: what it means, what may be no attack, where ATT&CK has it. In the
// sheet of its alert and in its own.
import { useData } from '../data';
import { t } from '../i18n';

interface RuleWords {
  description: string;
  false_positives: string[];
  tags: string[];
}

const tactics: Record<string, () => string> = {
  reconnaissance: () => t('reconnaissance'),
  'resource-development': () => t('resource development'),
  'initial-access': () => t('initial access'),
  execution: () => t('execution'),
  persistence: () => t('persistence'),
  'privilege-escalation': () => t('privilege escalation'),
  'defense-evasion': () => t('defense evasion'),
  'credential-access': () => t('credential access'),
  discovery: () => t('discovery'),
  'lateral-movement': () => t('lateral movement'),
  collection: () => t('collection'),
  'command-and-control': () => t('command and control'),
  exfiltration: () => t('exfiltration'),
  impact: () => t('impact'),
};

/** "attack.t1110.001" → T1110.001, "attack.initial-access" → its word; tags of other kinds are no place in ATT&CK. */
function placeOf(tag: string): string[] {
  const name = tag.replace(/^attack\./, '').replaceAll('_', '-');
  if (name === tag) return [];
  return [tactics[name]?.() ?? (/^[tgs]\d/.test(name) ? name.toUpperCase() : name)];
}

/** tags: those known without the rule, which may be gone by now. version: of the list that has the rule, where one is at hand:
 * so a rule that was dropped is not asked for again. */
export function Meaning({ rule, tags = [], version }: { rule: string; tags?: string[]; version?: string }) {
  const { value, error } = useData<RuleWords>(`rules/${encodeURIComponent(rule)}`, version === undefined ? ['rules'] : [], version);
  const { description = '', false_positives: noise = [] } = value ?? {};
  const places = (value?.tags ?? tags).flatMap(placeOf);
  if ((!value && !error) || description.length + noise.length + places.length === 0) return null;
  return (
    <section class="meaning" aria-labelledby="sheet-meaning">
      <h3 id="sheet-meaning">{t('What it means')}</h3>
      {description && <p>{description}</p>}
      {noise.length > 0 && (
        <>
          <h4>{t('May be no attack')}</h4>
          <ul>{noise.map((each) => <li key={each}>{each}</li>)}</ul>
        </>
      )}
      {places.length > 0 && <p class="quiet">MITRE ATT&CK: {places.join(' · ')}</p>}
    </section>
  );
}
