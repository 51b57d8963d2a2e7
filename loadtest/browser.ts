/**
 * Takes pictures of a page with the Chromium that is installed. The library and the browser are needed for this alone,
 * so both are looked for when a picture is asked for. Failure: `invalid-configuration` when there is no browser.
 */
import { access, constants } from 'node:fs/promises';
import { DormouseError } from '../shared/errors/dormouse-error.ts';

/** Where Debian, and the browser's other packages, put it. */
const knownPlaces = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'];

/** Wide enough for the tables, sharp enough to be looked at. */
const viewport = { width: 1280, height: 900 };
const limitMs = 60_000;

export type Appearance = 'light' | 'dark';

export async function screenshot(html: string, chromium?: string, appearance: Appearance = 'light'): Promise<Buffer> {
  await using opened = await openPage(html, await findChromium(chromium), appearance);
  return await opened.page.screenshot({ fullPage: true, timeout: limitMs });
}

export async function openPage(html: string, executablePath: string, appearance: Appearance = 'light') {
  const { chromium } = await import('playwright-core');
  // As root Chromium has no sandbox of its own; the page is ours and loads nothing.
  const browser = await chromium.launch({ executablePath, timeout: limitMs, args: ['--no-sandbox'] });
  await using unfinished = new AsyncDisposableStack();
  unfinished.defer(() => browser.close());
  const page = await browser.newPage({ viewport, colorScheme: appearance, deviceScaleFactor: 2 });
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('request', (request) => complaints.push(`asked for ${request.url()}`));
  await page.setContent(html, { waitUntil: 'load', timeout: limitMs });
  const resources = unfinished.move();
  return { page, complaints, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

export async function findChromium(given?: string): Promise<string> {
  for (const place of given === undefined ? knownPlaces : [given]) {
    const there = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return place;
  }
  const looked = given === undefined ? `in ${knownPlaces.join(', ')}` : `at ${given}`;
  const message = `no Chromium ${looked}: install the package chromium, or name it with --chromium`;
  throw new DormouseError('invalid-configuration', message);
}
