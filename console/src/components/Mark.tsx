// State as shape, word and colour together.
import { t } from '../i18n';
import type { Severity } from '../api';

const shapes: Record<Severity, string> = { critical: '◆', high: '▲', medium: '■', low: '●', info: '○' };

export function severityWord(severity: Severity): string {
  const words: Record<Severity, string> = {
    critical: t('Critical'),
    high: t('High'),
    medium: t('Medium'),
    low: t('Low'),
    info: t('Info'),
  };
  return words[severity];
}

export function Mark({ severity, isWordy = false }: { severity: Severity; isWordy?: boolean }) {
  const word = severityWord(severity);
  return (
    <span class={`mark ${severity}`}>
      <span aria-hidden="true">{shapes[severity]}</span>
      {isWordy ? <span>{word}</span> : <span class="unseen">{word}</span>}
    </span>
  );
}
