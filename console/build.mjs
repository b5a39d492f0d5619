// Builds the console: one script, one style sheet, fonts and a page; writes them hashed and compressed, with
// an assembly file and a C table that link them into the program (src/centre/assets.h).
// Usage: node build.mjs --out FOLDER [--po FILE]
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const out = resolve(option('out', join(here, 'dist')));
const po = resolve(option('po', join(here, '../po/vi.po')));
const types = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
};

// The Vietnamese of the sentences that stand in the console, from the same catalogue as the program's.
function readSentences(folder) {
  const sentences = new Set();
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!/\.tsx?$/.test(entry.name)) continue;
    const source = readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf8');
    for (const match of source.matchAll(/\bt\(\s*'((?:\\.|[^'\\])*)'/g)) sentences.add(match[1].replaceAll("\\'", "'"));
  }
  return sentences;
}

function readCatalogue(path) {
  const wanted = readSentences(join(here, 'src'));
  const catalogue = {};
  const text = (lines) => lines.map((line) => JSON.parse(line.slice(line.indexOf('"')))).join('');
  for (const entry of readFileSync(path, 'utf8').split(/\n\n+/)) {
    const lines = entry.split('\n');
    const id = lines.findIndex((line) => line.startsWith('msgid '));
    const str = lines.findIndex((line) => line.startsWith('msgstr '));
    if (id < 0 || str < 0) continue;
    const strings = lines.slice(str).filter((line) => line.includes('"'));
    const sentence = text(lines.slice(id, str));
    const translated = text(strings);
    if (wanted.has(sentence) && translated) catalogue[sentence] = translated;
  }
  return catalogue;
}

// What fields are called, the short names first: from the program's own lists.
const fieldLists = ['model/term_aliases.def', 'model/fields.def', 'codec/log_names.def', 'model/term_ecs.def'].map((path) => join(here, '../src', path));

function readFields() {
  const rows = fieldLists.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/^(?:ALIAS|FIELD|NAME|ECS)\((?:[A-Z0-9_]+, )?"([^"]+)"/gm)]);
  return [...new Set(rows.map((row) => row[1]))];
}

const cataloguePlugin = {
  name: 'catalogue',
  setup(build) {
    build.onResolve({ filter: /^catalogue:fields$/ }, () => ({ path: 'fields', namespace: 'fields' }));
    build.onLoad({ filter: /.*/, namespace: 'fields' }, () => ({ contents: JSON.stringify(readFields()), loader: 'json', watchFiles: fieldLists }));
    build.onResolve({ filter: /^catalogue:vi$/ }, () => ({ path: 'vi', namespace: 'catalogue' }));
    build.onLoad({ filter: /.*/, namespace: 'catalogue' }, () => ({
      contents: JSON.stringify(readCatalogue(po)),
      loader: 'json',
      watchFiles: [po],
    }));
  },
};

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

async function bundle() {
  const result = await esbuild.build({
    absWorkingDir: here,
    entryPoints: { app: 'src/main.tsx' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.woff2': 'file' },
    publicPath: '/',
    legalComments: 'none',
    outdir: out,
    write: false,
    plugins: [cataloguePlugin],
  });
  return result.outputFiles.map((file) => ({ path: `/${basename(file.path)}`, bytes: Buffer.from(file.contents) }));
}

function page(files) {
  const script = files.find((file) => file.path.endsWith('.js')).path;
  const style = files.find((file) => file.path.endsWith('.css')).path;
  const html = readFileSync(join(here, 'src/index.html'), 'utf8');
  return Buffer.from(html.replace('{{script}}', script).replace('{{style}}', style));
}

// One row for each encoding that is smaller than the plain bytes.
function encodings(file) {
  const rows = [{ encoding: null, bytes: file.bytes }];
  if (!file.path.endsWith('.woff2')) {
    const brotli = brotliCompressSync(file.bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
    rows.push({ encoding: 'gzip', bytes: gzipSync(file.bytes, { level: 9 }) }, { encoding: 'br', bytes: brotli });
  }
  return rows.filter((row) => row.encoding === null || row.bytes.length < file.bytes.length)
    .sort((a, b) => a.bytes.length - b.bytes.length);
}

function write(files) {
  const assembly = ['    .section .rodata'];
  const declarations = [];
  const table = [];
  let number = 0;
  for (const file of files) {
    for (const row of encodings(file)) {
      const name = `asset_${number++}`;
      const path = join(out, `${name}.bin`);
      writeFileSync(path, row.bytes);
      assembly.push(`    .global ${name}_start`, `${name}_start:`, `    .incbin "${path}"`, `    .global ${name}_end`,
        `${name}_end:`, '    .byte 0');
      declarations.push(`extern const char ${name}_start[];`, `extern const char ${name}_end[];`);
      const type = types[/\.[a-z0-9]+$/.exec(file.path === '/' ? 'x.html' : file.path)[0]];
      const encoding = row.encoding ? `"${row.encoding}"` : 'NULL';
      const etag = `"\\"${hash(row.bytes)}\\""`;
      table.push(`    {"${file.path}", "${type}", ${encoding}, ${etag}, ${/-[A-Z0-9]{8}\./.test(file.path)}, ${name}_start, ${name}_end},`);
    }
  }
  assembly.push('    .section .note.GNU-stack,"",%progbits', '');
  writeFileSync(join(out, 'assets.S'), assembly.join('\n'));
  writeFileSync(join(out, 'assets.c'), [
    '/* Made by console/build.mjs. */', '#include "centre/assets.h"', '', '#include <stddef.h>', '', ...declarations, '',
    'const struct asset assets[] = {', ...table, '    {NULL, NULL, NULL, NULL, false, NULL, NULL},', '};', ''].join('\n'));
}

function report(files) {
  const rows = files.filter((file) => !file.path.endsWith('.woff2'));
  const total = rows.reduce((sum, file) => sum + gzipSync(file.bytes).length, 0);
  const limit = 150 * 1024;
  console.log(`console: ${(total / 1024).toFixed(1)} kB gzip without fonts (limit 150 kB)`);
  if (total > limit) {
    console.error('console: larger than its limit');
    process.exit(1);
  }
}

mkdirSync(out, { recursive: true });
const files = await bundle();
files.push({ path: '/', bytes: page(files) }, { path: '/favicon.svg', bytes: readFileSync(join(here, 'src/favicon.svg')) });
write(files);
report(files);
