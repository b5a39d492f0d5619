// What came while somebody was in the list: it waits here, and is told politely.
import type { Alert } from '../api';
import { number, t } from '../i18n';
import { Mark } from './Mark';

export function NewBar({ waiting, onTake }: { waiting: Alert[]; onTake: () => void }) {
  if (waiting.length === 0) return <p class="unseen" role="status" />;
  return (
    <p class="newbar" role="status">
      <button onClick={onTake}>
        ↑ {t('{0} new', number(waiting.length))} · <Mark severity={waiting[0]!.severity} /> {waiting[0]!.title} · {waiting[0]!.host_name}
        <kbd aria-hidden="true">n</kbd>
      </button>
    </p>
  );
}
