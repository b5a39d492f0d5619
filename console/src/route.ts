// Where the reader is: #/alerts/12?state=open. Filters live in the address, so that a view can be sent to somebody.
import { signal } from '@preact/signals';

export interface Route {
  page: string;
  id: string | null;
  query: URLSearchParams;
}

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page = '', id] = path.split('/');
  return { page: page || 'watch', id: id ? decodeURIComponent(id) : null, query: new URLSearchParams(query) };
}

export const route = signal<Route>(parse(location.hash));
window.addEventListener('hashchange', () => {
  route.value = parse(location.hash);
});

export function link(page: string, id?: string | number | null, query?: URLSearchParams | Record<string, string>): string {
  const text = new URLSearchParams(query ?? '').toString();
  return `#/${page}${id === undefined || id === null ? '' : `/${encodeURIComponent(id)}`}${text ? `?${text}` : ''}`;
}

export function go(href: string, isReplacing = false): void {
  if (isReplacing) location.replace(href);
  else location.hash = href;
}

/** Changes one filter of the present page without adding to the history. */
export function setFilter(name: string, value: string): void {
  const query = new URLSearchParams(route.value.query);
  if (value) query.set(name, value);
  else query.delete(name);
  go(link(route.value.page, route.value.id, query), true);
}
