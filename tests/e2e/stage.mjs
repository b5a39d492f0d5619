// The stage of the console's tests: a centre and two agents on this machine, each guarding a loop-mounted scratch file
// system of its own, and a browser whose every console error, policy report and unexpected answer is kept.
// Neighbour: tests/e2e/console.
import { execFileSync, spawn } from 'node:child_process';
import { createHmac, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const top = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const need = createRequire(join(top, 'console/package.json'));
const { chromium } = need('playwright-core');
const axeSource = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
const canhgac = process.env['CANHGAC'] ?? join(top, 'build/canhgac');
const environment = { ...process.env, CANHGAC_LANG: 'vi' };
const scratch = mkdtempSync(join(tmpdir(), 'canhgac-e2e-'));
export const shots = process.argv.includes('--shots') ? process.argv[process.argv.indexOf('--shots') + 1] : null;

/** Seconds. Nothing that is waited for here is timed: only what hangs waits so long. */
const patience = 120;

const isThorough = shots !== null || process.argv.includes('--long');
const running = [];
const mounted = [];
const problems = [];
let failed = 0;

export function check(what, isGood, detail = '') {
  console.log(`${isGood ? 'ok' : 'not ok'} ${what}${isGood || !detail ? '' : `: ${detail}`}`);
  if (!isGood) failed++;
}

export const run = (...words) => execFileSync(canhgac, words, { encoding: 'utf8', timeout: patience * 1000, env: environment }).trim();

/** Started in a session of its own, so that an agent that stops it stops nothing else. */
export function start(name, command, words) {
  const child = spawn(command ?? canhgac, words, { stdio: ['ignore', 'pipe', 'pipe'], env: environment, detached: true });
  const entry = { name, child, text: '', ended: new Promise((done) => child.once('exit', done)) };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { entry.text += bytes; });
  running.push(entry);
  return entry;
}

export async function until(what, probe, seconds = patience) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (reason) {
      last = reason;
    }
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error(`${what}: not within ${seconds} s${last ? ` (${last.message})` : ''}`);
}

/** What a page shows once all that was done has reached it; detail: a function that tells what it shows instead. */
export async function holds(what, probe, detail = () => '') {
  const isGood = await until(what, probe).catch(() => false);
  check(what, isGood, isGood ? '' : String(await Promise.resolve().then(detail).catch((reason) => reason.message)));
}

const isFree = (port) => new Promise((done) => {
  const server = createServer().once('error', () => done(false));
  server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
});

/** From below what the kernel gives to clients (tests/ports.py says why). */
const freePort = () => until('a free port', async () => {
  const first = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0]);
  const port = randomInt(10000, first > 12000 ? first : 65536);
  return (await isFree(port)) && port;
});

function mountScratch(name) {
  const image = join(scratch, `${name}.img`);
  const folder = join(scratch, name);
  mkdirSync(folder);
  execFileSync('truncate', ['-s', '192M', image]);
  execFileSync('mkfs.ext4', ['-q', image]);
  execFileSync('mount', ['-o', 'loop', image, folder]);
  mounted.push(folder);
  mkdirSync(join(folder, 'data'));
  return folder;
}

export const scratchFile = (name) => join(scratch, name);

/** more: further lines of its settings file. */
export function startAgent(centre, port, name, mode, more = '') {
  const disk = mountScratch(name);
  const token = run('centre', 'token', '--folder', centre, '--bare');
  const config = join(scratch, `${name}.conf`);
  const folder = join(scratch, `${name}-agent`);
  mkdirSync(folder);
  writeFileSync(config, `protect = ${disk}/data\nfolder = ${folder}\nmode = ${mode}\n${more}`);
  run('agent', 'enrol', '--folder', join(folder, 'agent'), '--name', name, `127.0.0.1:${port}`, token);
  start(name, null, ['agent', '--config', config]);
  return join(disk, 'data');
}

/** A centre alone. more: further lines of its settings file. */
export async function startCentre(more = '') {
  const port = await freePort();
  const centre = join(scratch, 'centre');
  mkdirSync(centre);
  writeFileSync(join(centre, 'centre.conf'), `listen = 127.0.0.1:${port}\nkeep-user = yes\nname = Tỉnh Đồng Nai\n${more}`);
  const body = start('centre', null, ['centre', '--folder', centre]);
  await until('centre', () => run('centre', 'hosts', '--folder', centre) !== null);
  // hashing a password takes a busy machine longer than the command waits
  const password = await until('the password', () => run('centre', 'password', '--folder', centre, '--bare', 'admin'));
  return { port, centre, body, password };
}

export async function startStage() {
  const stage = await startCentre();
  const { port, centre } = stage;
  const restores = startAgent(centre, port, 'KT-PC07', 'stop-and-restore');
  const asks = startAgent(centre, port, 'KT-PC08', 'pause-and-ask');
  return { ...stage, restores, asks };
}

/** A refusal that the test has brought about itself is no problem. */
export function forgive(status) {
  problems.splice(0, problems.length, ...problems.filter((one) => !one.startsWith(`${status} `) && !one.includes(`status of ${status} `)));
}

/** Looks at websites, sent through the channel of the process that fetches pages. */
export function sendLooks(stage, looks) {
  const program = join(dirname(canhgac), 'tests/e2e/looks');
  execFileSync(program, [String(stage.body.child.pid)], { input: looks.map((look) => JSON.stringify(look)).join('\n'), timeout: patience * 1000 });
}

/** Four weeks of what a host's logs are wont to do, for a centre that is not running. */
export function writeHabits(centre) {
  execFileSync(join(dirname(canhgac), 'tests/e2e/habits'), [centre], { timeout: patience * 1000 });
}

/** The centre's process of that name. */
export function childOf(body, name) {
  const parent = String(body.child.pid);
  return Number(readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, comm, rest] = /\((.*)\) (.*)$/s.exec(stat);
      return comm.includes(name) && rest.split(' ')[1] === parent;
    } catch {
      return false;
    }
  }));
}

export function drill(folder, pattern = 'inplace') {
  return start('drill', null, ['drill', 'ransomware', '--pattern', pattern, '--folder', join(folder, 'diễn tập'), '--json']);
}

/** Not marked as a drill: openssl encrypts generated documents of this test, in this test's own file system. */
export function attack(folder, name) {
  const place = join(folder, name);
  mkdirSync(place);
  for (let i = 0; i < 40; i++) writeFileSync(join(place, `Công văn ${i}.txt`), `Kính gửi Sở Nội vụ, văn bản số ${i}.\n`.repeat(400));
  const script = 'for f in *.txt; do openssl enc -aes-256-ctr -pbkdf2 -k thu -in "$f" -out "$f.khoa" && rm "$f"; done';
  return { place, process: start('attack', 'sh', ['-c', `cd "$1" && ${script}`, 'sh', place]) };
}

export function totp(secret, at = Date.now()) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replace(/\s/g, '')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const digest = createHmac('sha1', key).update(counter).digest();
  return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

export async function startBrowser() {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  running.push({ name: 'browser', text: '', close: () => browser.close() });
  return browser;
}

export const pages = [];

/** One person's browser window. */
export async function open(browser, port, options = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, locale: 'vi-VN', timezoneId: 'Asia/Ho_Chi_Minh', bypassCSP: false, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience * 1000);
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !/401|403|409|ERR_/.test(message.text())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('response', async (answer) => {
    if (answer.status() >= 400 && ![401, 403].includes(answer.status())) problems.push(`${answer.status()} ${answer.url()} ${await answer.text().catch(() => '')}`);
  });
  pages.push(page);
  await page.goto(`https://127.0.0.1:${port}/`);
  await page.getByLabel('Tên đăng nhập').waitFor();
  return page;
}

export async function logIn(page, name, password) {
  await page.getByLabel('Tên đăng nhập').fill(name);
  await page.getByLabel('Mật khẩu').fill(password);
  await page.getByRole('button', { name: 'Đăng nhập' }).click();
}

/** The first log-in with a password that was handed over. */
export async function firstLogIn(page, name, once, own) {
  await logIn(page, name, once);
  await page.getByText('Chọn mật khẩu của riêng bạn').waitFor();
  await page.getByLabel('Mật khẩu mới').fill(own);
  await page.getByLabel('Nhập lại').fill(own);
  await page.getByRole('button', { name: 'Lưu' }).click();
  await page.getByText('● trực tiếp').waitFor();
}

export async function inspect(page, name) {
  await page.evaluate(axeSource);
  const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const grave = result.violations.filter((each) => ['serious', 'critical'].includes(each.impact));
  check(`axe ${name}`, grave.length === 0, grave.map((each) => `${each.id} ${each.nodes[0]?.html}`).join('; '));
}

const isWide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;

const isCovered = () => {
  const [sheet, notice] = ['.sheet', '.notice'].map((each) => document.querySelector(each)?.getBoundingClientRect());
  return sheet && notice ? sheet.bottom > notice.top + 1 : false;
};

/** Light, dark and phone: accessible, not scrolling sideways, and a picture when pictures are wanted. */
export async function walk(page, name) {
  const views = [
    ['light', { width: 1366, height: 768 }, 'light'],
    ['dark', { width: 1366, height: 768 }, 'dark'],
    ['phone', { width: 390, height: 844 }, 'light'],
  ];
  for (const [view, size, scheme] of views) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    if (view !== 'phone' || isThorough) await inspect(page, `${name} ${view}`);
    check(`no sideways scrolling ${name} ${view}`, !(await page.evaluate(isWide)));
    if (view === 'phone') check(`no notice covers a sheet ${name}`, !(await page.evaluate(isCovered)));
    if (shots) await shoot(page, `${name}-${view}`);
  }
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}

/** In a picture for the documents only the attack's own processes are named, and scratch folders look like others. */
export async function shoot(page, name) {
  await page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(/\/tmp\/canhgac-e2e-\w+\//g, '/var/log/');
  });
  await page.evaluate(() => document.querySelectorAll('.tree').forEach((tree) => tree.querySelectorAll('li').forEach((line, i, all) => {
    line.hidden = i < all.length - 2;
    line.className = line.className.replace(/depth-\d/, `depth-${Math.max(0, i - all.length + 2)}`);
  })));
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** At twice the size, and in the two other palettes. */
export async function walkOther(page, name) {
  await page.setViewportSize({ width: 683, height: 384 });
  await inspect(page, `${name} at 200 %`);
  check(`no sideways scrolling ${name} at 200 %`, !(await page.evaluate(isWide)));
  await page.setViewportSize({ width: 1366, height: 768 });
  for (const theme of ['contrast', 'red-safe']) {
    await page.evaluate((wanted) => { document.documentElement.dataset.theme = wanted; }, theme);
    await inspect(page, `${name} ${theme}`);
    if (shots) await shoot(page, `${name}-${theme}`);
  }
  await page.evaluate(() => { delete document.documentElement.dataset.theme; });
}

async function tellFailure(reason) {
  check('the main path', false, reason.stack);
  for (const page of pages) {
    await page.screenshot({ path: join(shots ?? tmpdir(), `canhgac-e2e-failed-${pages.indexOf(page)}.png`) }).catch(() => {});
    console.log(`    on the screen: ${(await page.locator('body').innerText().catch(() => ''))?.slice(0, 400)}`);
  }
  for (const each of running) {
    const said = each.text.trim().split('\n').slice(-12).join('\n    ');
    if (said) console.log(`    ${each.name}: ${said}`);
  }
}

async function takeDown() {
  for (const each of running.reverse()) {
    if (each.close) {
      await each.close();
      continue;
    }
    if (each.child.exitCode !== null || each.child.signalCode !== null) continue;
    try {
      process.kill(-each.child.pid, 'SIGCONT');
    } catch { /* its group has gone */ }
    each.child.kill(['drill', 'attack'].includes(each.name) ? 'SIGKILL' : 'SIGTERM');
    await Promise.race([each.ended, new Promise((done) => setTimeout(done, 8000))]);
  }
  for (const folder of mounted) execFileSync('umount', ['-l', folder]);
  rmSync(scratch, { recursive: true, force: true });
}

/** Fails for an error that nobody awaits, and when whoever runs the test asks it to end. */
const broken = () => new Promise((_, fail) => {
  process.on('unhandledRejection', fail);
  process.on('SIGTERM', () => fail(new Error('asked to end')));
});

/** Runs the scenes in order, takes everything down whatever happens, and ends the process. */
export async function play(scenes) {
  try {
    await Promise.race([scenes(), broken()]);
  } catch (reason) {
    await tellFailure(reason);
  }
  check('no console error and no policy report', problems.length === 0, problems.join(' | '));
  await takeDown();
  process.exit(failed ? 1 : 0);
}
