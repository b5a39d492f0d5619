// Times as people on duty read them: HH:mm today, else dd/MM HH:mm, always UTC+7; the whole of it on hover.
const zone = 'Asia/Ho_Chi_Minh';
const part = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { timeZone: zone, ...options });
const day = part({ day: '2-digit', month: '2-digit', year: 'numeric' });
const dayMonth = part({ day: '2-digit', month: '2-digit' });
const clock = part({ hour: '2-digit', minute: '2-digit' });
const seconds = part({ hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function shortTime(when: string, now = new Date()): string {
  const date = new Date(when);
  const time = clock.format(date);
  return day.format(date) === day.format(now) ? time : `${dayMonth.format(date)} ${time}`;
}

export function fullTime(when: string): string {
  const date = new Date(when);
  return `${day.format(date)} ${seconds.format(date)} UTC+7 · ${date.toISOString()}`;
}

export const clockNow = (now: Date): string => clock.format(now);
