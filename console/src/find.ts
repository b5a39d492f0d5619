// A search in the archive goes on in turns of a third of a second: each answers with what it has found and how far back
// it has looked, and the next begins there. So the first page is there at once, and whoever stops loses nothing.
import { post, type ArchiveDamage, type EventPage } from './api';

export interface Question {
  q?: string;
  rule?: string;
  from?: string;
  to?: string;
  limit?: number;
  /** Seconds: everything is counted by such steps, to the end of the time. */
  step?: number;
  cursor?: string;
}

/** Asks turn by turn until there is nothing behind, `enough` says so, or it is stopped. Stopping is no failure. */
export async function ask(path: string, question: Question, stop: AbortSignal, take: (page: EventPage) => { isEnough?: boolean; limit?: number } | void): Promise<void> {
  let { cursor, limit } = question;
  while (!stop.aborted) {
    let page: EventPage;
    try {
      page = await post<EventPage>(path, { ...question, ...(limit === undefined ? {} : { limit }), ...(cursor ? { cursor } : {}) }, stop);
    } catch (reason) {
      if (stop.aborted) return;
      throw reason;
    }
    if (stop.aborted) return;
    const said = take(page);
    if (!page.next || said?.isEnough) return;
    cursor = page.next;
    limit = said?.limit ?? limit;
  }
}

/** Those of one turn beside those of the turns before: each once. */
export function withDamages(before: ArchiveDamage[], more: ArchiveDamage[]): ArchiveDamage[] {
  return [...before, ...more.filter((one) => !before.some((other) => other.file === one.file && other.block === one.block))];
}

const steps = [1, 10, 60, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 86400];

/** A step by which the time is parted into at most 60. */
export function stepOf(milliseconds: number): number {
  return steps.find((step) => milliseconds / 1000 / step <= 60) ?? 86400;
}
