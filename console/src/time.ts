// Times as people on duty read them: HH:mm today, else dd/MM HH:mm, of another year with the year, always UTC+7; the whole
// of it on hover and in print.
const zone = 'Asia/Ho_Chi_Minh';
const part = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options });
const day = part({ day: '2-digit', month: '2-digit', year: 'numeric' });
const dayMonth = part({ day: '2-digit', month: '2-digit' });
const year = part({ year: 'numeric' });
const clock = part({ hour: '2-digit', minute: '2-digit' });
const seconds = part({ hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function shortTime(when: string, now = new Date()): string {
  const date = new Date(when);
  const time = clock.format(date);
  if (day.format(date) === day.format(now)) return time;
  return `${(year.format(date) === year.format(now) ? dayMonth : day).format(date)} ${time}`;
}

const utc = (date: Date): string => `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export function fullTime(when: string): string {
  const date = new Date(when);
  return `${day.format(date)} ${seconds.format(date)} UTC+7 · ${utc(date)}`;
}

export const clockNow = (now: Date): string => clock.format(now);

/** "90s", "15m", "2h", "90d" as a settings file says it, in milliseconds; null for anything else. */
export function durationOf(text: string): number | null {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  return match ? Number(match[1]) * units[match[2]!]! : null;
}
