// The page in a real browser, opened from a file with the network cut. Chromium is the distribution's; where there is
// none the test says so and passes, as no verdict of the emulator hangs on it.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { chromium, type Browser, type Page } from 'playwright-core';
import { policyNamed } from '../emu/machine/policies.ts';
import { guestSystem } from '../emu/guest/systems.ts';
import { WHOLE, type Axes } from '../matrix/axes.ts';
import { RuleSource } from '../matrix/cell.ts';
import { matrixDocument } from '../matrix/document.ts';
import { NO_CAPS } from '../matrix/tiers.ts';
import { matrixPage } from './matrix-page.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
/** CI installs the browser, so there its absence is a failure; elsewhere these tests are for who has it. */
const required = process.env['CI'] !== undefined;
const browserTest = CHROMIUM === undefined && !required ? test.skip : test.serial;

const AXES: Axes = {
  ...WHOLE,
  policies: ['upstream', 'proposal'].flatMap((name) => policyNamed(name) ?? []),
  versions: ['2.6', '4.2', '5.0', '7.2'],
  devices: WHOLE.devices.slice(0, 3),
  guests: ['rhel-6', 'linux-4.7', 'rhel-7.7', 'linux-5.6-svm'].flatMap((name) => guestSystem(name) ?? []),
};

const document = matrixDocument(AXES, new RuleSource(), 'rules', NO_CAPS);
const folder = mkdtempSync(join(tmpdir(), 'papyrus-page-'));
const file = join(folder, 'matrix.html');
writeFileSync(file, matrixPage(document));
let browser: Browser | undefined;

test.before(async () => {
  if (CHROMIUM !== undefined || required) {
    browser = await chromium.launch({
      executablePath: CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox'],
    });
  }
});

test.after.always(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function opened(colorScheme: 'light' | 'dark', hash = ''): Promise<{ page: Page; wrong: string[] }> {
  const context = await (browser as Browser).newContext({
    colorScheme,
    offline: true,
    viewport: { width: 1400, height: 900 },
  });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) wrong.push(`asked for ${request.url()}`);
  });
  await page.goto(`${pathToFileURL(file).href}${hash}`);
  return { page, wrong };
}

/** A picture for whoever wants to look: PAPYRUS_SCREENSHOTS names the folder. */
async function picture(page: Page, name: string): Promise<void> {
  const into = process.env['PAPYRUS_SCREENSHOTS'];
  if (into !== undefined) await page.screenshot({ path: join(into, `${name}.png`) });
}

browserTest('the grid stands there at once, with a cell for every guest and machine', async (t) => {
  const { page, wrong } = await opened('light');
  t.is(await page.locator('#grid tbody tr').count(), AXES.guests.length);
  t.is(await page.locator('#grid tbody button').count(), AXES.guests.length * AXES.versions.length);
  t.regex((await page.textContent('#summary')) ?? '', /^16 cells: 16 works$/);
  t.deepEqual(wrong, []);
});

browserTest('comparing two policies shows what is lost, and where', async (t) => {
  const { page, wrong } = await opened('light', '#policy=upstream&against=proposal');
  t.is(await page.locator('#grid button.lost').count(), 4);
  t.is(await page.locator('#grid tbody tr', { hasText: 'rhel-7.7' }).locator('button.lost').count(), 0);
  await page.check('#only');
  t.is(await page.locator('#grid tbody tr').count(), 2);
  await picture(page, 'compare-light');
  t.deepEqual(wrong, []);
});

browserTest('a cell opens by keyboard: outcome, rule with its source, rescue, recording', async (t) => {
  const { page, wrong } = await opened('dark', '#policy=proposal');
  await page.locator('#grid tbody button').first().focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'Enter']) await page.keyboard.press(key);
  const details = (await page.textContent('#details')) ?? '';
  t.regex(details, /RHEL 6.* on pseries-5\.0/);
  t.regex(details, /absent/);
  t.regex(details, /Rule R18/);
  t.regex(details, /Source: Tsirkin 2020-02-07/);
  t.regex(details, /-global virtio-pci\.disable-legacy=auto -global virtio-pci\.iommu_platform=off/);
  t.regex(details, /papyrus explain proposal pseries-5\.0 virtio-blk-pci rhel-6 -o cell\.rec\.cbor/);
  await picture(page, 'details-dark');
  t.deepEqual(wrong, []);
});

browserTest('filters narrow, and the tier view and secure guests have their own answers', async (t) => {
  const { page } = await opened('light', '#policy=upstream');
  await page.fill('#guest', 'svm');
  t.is(await page.locator('#grid tbody tr').count(), 1);
  await page.check('#secure');
  t.regex((await page.textContent('#summary')) ?? '', /^4 cells: 4 stuck$/);
  await page.selectOption('#view', 'tier');
  t.regex((await page.textContent('#summary')) ?? '', /Supported/);
  await page.fill('#machine', '7.2, 2.6');
  t.is(await page.locator('#grid tbody button').count(), 2);
});

browserTest('light and dark differ, and the button turns one into the other', async (t) => {
  const backs = new Set<string>();
  for (const scheme of ['light', 'dark'] as const) {
    const { page } = await opened(scheme);
    const back = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor') as Promise<string>;
    backs.add(await back());
    await page.click('#theme');
    backs.add(await back());
  }
  t.is(backs.size, 2);
});

test('nothing in the data can end the script element, and the page names no address', (t) => {
  const hostile = {
    ...document,
    guests: document.guests.map((guest) => ({ ...guest, title: '</script><b>' })),
  };
  const page = matrixPage(hostile);
  t.false(page.includes('</script><b>'));
  t.notRegex(page, /(?:src|href)=["']?https?:/);
});
