// What became of all entries of logs, stage by stage: each line adds up, and what was lost stands out.
import { useData } from '../data';
import { number, t } from '../i18n';

/** As centre/api/source.c has it. */
interface Account {
  received: number;
  committed: number;
  refused: number;
  again: number;
  datagrams_dropped: number;
  dropped: number;
  entries: number;
  matched: number;
  unmatched: number;
  unjudged: number;
  waiting: number;
}

export function LogAccount() {
  const { value } = useData<Account>('sources/account', ['sources']);
  if (!value) return null;
  const lost = value.dropped + value.datagrams_dropped + value.refused;
  return (
    <p class="quiet account">
      {t('Since the centre started, the rules got {0} entries: {1} matched, {2} did not, {3} were not judged, {4} wait.', number(value.entries), number(value.matched), number(value.unmatched), number(value.unjudged), number(value.waiting))}
      {value.received > 0 && <> {t('Without an agent came {0}, of which {1} are kept.', number(value.received), number(value.committed))}</>}
      {value.again > 0 && <> {t('{0} were lines sent again that had been kept.', number(value.again))}</>}
      {' '}
      {lost === 0
        ? t('Nothing was lost.')
        : <strong>{t('Lost: {0} by agents whose spool was full, {1} datagrams without room, {2} that the store refused.', number(value.dropped), number(value.datagrams_dropped), number(value.refused))}</strong>}
    </p>
  );
}
