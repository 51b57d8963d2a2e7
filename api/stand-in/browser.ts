/**
 * The Chromium that is installed, for tests of pages. Whatever a page complains of (errors, warnings, a request to another
 * host) is kept, so that a test can hold it to nothing at all. Failure: `invalid-configuration` when there is none.
 */
import { readFile } from 'node:fs/promises';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { findChromium } from '../../shared/process/find-chromium.ts';

/** A start, or one step of a page, on a machine that is busy with other tests. */
const limitMs = 30_000;

export const desktop = { width: 1280, height: 800 } as const;
/** The narrowest that is still sold, and what a page at 400 % zoom has. */
export const phone = { width: 320, height: 640 } as const;

export interface TestPage extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: string[];
}

export interface PageOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly appearance?: 'light' | 'dark';
}

export interface TestBrowser extends AsyncDisposable {
  open(url: string, options?: PageOptions): Promise<TestPage>;
}

export async function startBrowser(): Promise<TestBrowser> {
  // As root Chromium has no sandbox of its own; the pages are ours.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  const browser = await chromium.launch({ executablePath: await findChromium(), timeout: limitMs, args });
  return {
    open: (url, options = {}) => openPage(browser, url, options),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function openPage(browser: Browser, url: string, options: PageOptions): Promise<TestPage> {
  const { viewport = desktop, appearance = 'light' } = options;
  const context = await browser.newContext({ viewport, colorScheme: appearance, reducedMotion: 'reduce' });
  context.setDefaultTimeout(limitMs);
  const complaints = listen(context, new URL(url).origin);
  const page = await context.newPage();
  await page.goto(url, { waitUntil: 'load', timeout: limitMs });
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

function listen(context: BrowserContext, origin: string): string[] {
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(error.error().message));
  context.on('console', (message) => {
    const matters = message.type() === 'error' || message.type() === 'warning';
    // Another test's VM starts or ends: Chromium breaks off every request, and the page has to ask again.
    if (matters && !message.text().includes('ERR_NETWORK_CHANGED')) complaints.push(message.text());
  });
  context.on('request', (request) => {
    if (origin !== 'null' && new URL(request.url()).origin !== origin) complaints.push(`asked for ${request.url()}`);
  });
  return complaints;
}

/** What is wrong with the page as it stands: names, roles, contrast, width. */
export async function auditPage(page: Page): Promise<string[]> {
  const source = await readFile(new URL('page-audit.js', import.meta.url), 'utf8');
  return page.evaluate<string[]>(source);
}
