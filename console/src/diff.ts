// What is new in a page's text and what is gone, in place. Linear: both lists are walked once; a passage that only moved is
// neither new nor gone.
import type { Passage } from './sites';

export interface DiffRow {
  before: Passage | null;
  after: Passage | null;
  isSame: boolean;
}

function counts(passages: Passage[]): Map<string, number> {
  const map = new Map<string, number>();
  for (const each of passages) map.set(each.text, (map.get(each.text) ?? 0) + 1);
  return map;
}

/** Gone and new ones that stand at one place share their rows. */
function flush(rows: DiffRow[], gone: Passage[], fresh: Passage[]): void {
  for (let i = 0; i < Math.max(gone.length, fresh.length); i++) rows.push({ before: gone[i] ?? null, after: fresh[i] ?? null, isSame: false });
  gone.length = 0;
  fresh.length = 0;
}

export function diff(before: Passage[], after: Passage[]): DiffRow[] {
  const inBefore = counts(before);
  const inAfter = counts(after);
  const rows: DiffRow[] = [];
  const gone: Passage[] = [];
  const fresh: Passage[] = [];
  let b = 0;
  for (const passage of after) {
    if (!inBefore.has(passage.text)) {
      fresh.push(passage);
      continue;
    }
    while (b < before.length && !inAfter.has(before[b]!.text)) gone.push(before[b++]!);
    flush(rows, gone, fresh);
    const was = b < before.length ? before[b++]! : passage;
    rows.push({ before: was.text === passage.text ? was : passage, after: passage, isSame: true });
  }
  while (b < before.length) {
    if (!inAfter.has(before[b]!.text)) gone.push(before[b]!);
    b++;
  }
  flush(rows, gone, fresh);
  return rows;
}

export interface Stretch {
  rows: DiffRow[];
  isSame: boolean;
}

/** Rows as they are shown: long stretches of what is as before can be folded away, but for their ends. */
export function stretches(rows: DiffRow[], around = 2): Stretch[] {
  const near = rows.map((_, at) => rows.slice(Math.max(0, at - around), at + around + 1).some((row) => !row.isSame));
  const list: Stretch[] = [];
  rows.forEach((row, at) => {
    const isFolded = !near[at];
    const last = list[list.length - 1];
    if (last && last.isSame === isFolded) last.rows.push(row);
    else list.push({ rows: [row], isSame: isFolded });
  });
  return list;
}
