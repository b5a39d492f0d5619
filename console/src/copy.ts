// What is copied out of evidence cannot be clicked where it is pasted: addresses are defanged. Fields and what is
// marked .copy (tokens, commands, passwords) are copied as they are.
const schemes = /\b(h)tt(ps?):\/\//gi;
const mail = /([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)/g;
const numeric = /\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b/g;
const names = /(?<![\w./\\-])((?:[a-z0-9-]+\.)+)(com|net|org|vn|info|biz|xyz|top|site|online|icu|click|shop|club|onion|ru|cn|su|cc|pw|io|me|tk)(?![\w.-]*\w)/gi;

export function defang(text: string): string {
  return text
    .replace(mail, (_, user: string, host: string) => `${user}[@]${host.replaceAll('.', '[.]')}`)
    .replace(/\b(https?|ftp):\/\/([^\s/]+)/gi, (_, scheme: string, host: string) => `${scheme}://${host.replace(/\[?\.\]?/g, '[.]')}`)
    .replace(schemes, (_, first: string, rest: string) => `${first}xx${rest}://`)
    .replace(numeric, '$1[.]$2[.]$3[.]$4')
    .replace(names, (_, before: string, last: string) => `${before.replaceAll('.', '[.]')}${last}`);
}

document.addEventListener('copy', (event) => {
  const selection = document.getSelection();
  const from = selection?.anchorNode?.parentElement;
  if (!selection || selection.isCollapsed || !event.clipboardData || from?.closest('.copy, input, textarea')) return;
  const text = selection.toString();
  const safe = defang(text);
  if (safe === text) return;
  event.clipboardData.setData('text/plain', safe);
  event.preventDefault();
});
