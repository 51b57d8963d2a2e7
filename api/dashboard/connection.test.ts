import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import { buildServer } from '../server.ts';
import { auditPage, startBrowser, type TestBrowser } from '../stand-in/browser.ts';
import { addressOf, has, rows, startWithActors } from '../stand-in/dashboard-page.ts';
import { until, type Fixture } from '../stand-in/fixture.ts';

suite('what the dashboard hears of the api', () => {
  let fixture: Fixture;
  let browser: TestBrowser;
  before(async () => {
    [fixture, browser] = await Promise.all([startWithActors(), startBrowser()]);
    await fixture.sleeping('alice');
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  });

  test('what happens elsewhere shows by itself, in order', async () => {
    await using opened = await browser.open(addressOf(fixture.port, '#/actors?prefix=live-'));
    const { page } = opened;
    await has(page, 'Nothing matches');
    await page.locator('[data-live=live]').waitFor();
    for (const id of ['live-b', 'live-a'])
      await fixture.call('POST', '/v1/actors', { body: { id, template: 't-alice' } });
    await until(async () => (await rows(page).locator('.id').allInnerTexts()).join() === 'live-a,live-b');
    await fixture.call('POST', '/v1/actors/live-b/resume', { headers: { prefer: 'wait=10' } });
    await rows(page).nth(1).locator('[data-state=running]').waitFor();
    await fixture.call('DELETE', '/v1/actors/live-a', { headers: { prefer: 'wait=10' } });
    await until(async () => (await rows(page).count()) === 1);
    await fixture.call('DELETE', '/v1/actors/live-b', { headers: { prefer: 'wait=10' } });
  });

  test('a request or a module that is broken off, as when a VM changes the network, is asked for again', async () => {
    await using opened = await browser.open('about:blank');
    const { page } = opened;
    const broken: string[] = [];
    for (const pattern of [
      '**/nodes.js',
      '**/parts.css',
      '**/v1/actors?*',
      '**/v1/events',
      '**/v1/actors/alice/explain',
    ]) {
      await page.route(pattern, async (route) => {
        const isFirst = !broken.includes(pattern);
        broken.push(pattern);
        await (isFirst ? route.abort('failed') : route.fallback());
      });
    }
    await page.goto(addressOf(fixture.port, '#/actors/alice'));
    await rows(page).first().waitFor();
    await page.locator('.events').waitFor();
    await page.locator('[data-live=live]').waitFor();
    assert.equal(new Set(broken).size, 5, broken.join());
    assert.equal(await page.locator('#banner').isVisible(), false, 'nothing to tell anybody of');
  });

  test('without the stream of events the page looks at intervals', async () => {
    await using opened = await browser.open('about:blank');
    const { page } = opened;
    await page.route('**/v1/events', (route) => route.fulfill({ status: 404, body: '{}' }));
    await page.goto(addressOf(fixture.port, '#/actors?prefix=quiet'));
    await page.locator('[data-live=polling]').waitFor();
    await has(page, 'Nothing matches');
    await fixture.call('POST', '/v1/actors', { body: { id: 'quiet', template: 't-alice' } });
    await rows(page).first().waitFor();
    await fixture.call('DELETE', '/v1/actors/quiet', { headers: { prefer: 'wait=10' } });
  });

  test('events are understood in either form, however they are cut, and what is not one is passed over', async () => {
    await using opened = await browser.open(addressOf(fixture.port));
    const { page } = opened;
    const text = [
      'event: actor\ndata: {"kind":"actor","id":"a","state":"running"}',
      'id: 1-0\nevent: actor\ndata: {"id":"1-0","type":"actor",\ndata: "actor":"b","node":"node-1","from":"resuming","to":"running"}',
      'id: 2-0\ndata: {"id":"2-0","type":"node","node":"node-1","to":"draining"}',
      'event: gap\ndata: {"type":"gap","next":"3-0"}',
      'id: 3-0',
      ': a comment',
      'data: not json',
      'data: {"id":"4-0"}',
    ].join('\n\n');
    const changes = await inModule(page, 'live.js', `changesIn(${JSON.stringify(text)})`);
    assert.deepEqual(changes, [
      { kind: 'actor', id: 'a', state: 'running' },
      { kind: 'actor', id: 'b', state: 'running' },
      { kind: 'node', id: 'node-1', state: 'draining' },
      { kind: 'gap', id: '', state: '' },
    ]);
  });

  test('what callers waited is read out of the metrics, each call in one column', async () => {
    await using opened = await browser.open(addressOf(fixture.port));
    const { page } = opened;
    const bucketsOf = (start: string, counts: Readonly<Record<string, number>>) =>
      Object.entries(counts).map(
        ([end, count]) => `dormouse_call_seconds_bucket{le="${end}",start="${start}"} ${count}`,
      );
    const text = [
      '# TYPE dormouse_call_seconds histogram',
      ...bucketsOf('hot', { 0.01: 4, 0.025: 5, 0.1: 5, 0.25: 5, 1: 5, 2.5: 5, 10: 5, 30: 5, '+Inf': 5 }),
      ...bucketsOf('cold', { 0.01: 0, 0.025: 0, 0.1: 0, 0.25: 0, 1: 0, 2.5: 2, 10: 2, 30: 2, '+Inf': 3 }),
      'dormouse_call_seconds_count{start="hot"} 5',
    ].join('\n');
    assert.deepEqual(await inModule(page, 'call-times.js', `callTimesIn(${JSON.stringify(text)})`), {
      cold: [0, 0, 0, 0, 0, 2, 0, 0, 1],
      warm: [0, 0, 0, 0, 0, 0, 0, 0, 0],
      hot: [4, 1, 0, 0, 0, 0, 0, 0, 0],
    });
  });

  test('while the api is away the page says so and keeps what it knows; then it goes on', async () => {
    const first = await buildServer(fixture.parts);
    const url = await first.listen('127.0.0.1', 0);
    const port = Number(new URL(url).port);
    await using opened = await browser.open(`${url}/#/actors/alice`);
    const { page } = opened;
    await page.locator('[data-live=live]').waitFor();
    await page.locator('.events').waitFor();
    await first.close(0);
    await has(page, 'The API does not answer');
    assert.equal(await page.locator('.detail-body').isVisible(), true);
    assert.deepEqual(await auditPage(page), []);
    await using second = await buildServer(fixture.parts);
    await second.listen('127.0.0.1', port);
    await page.locator('#banner').waitFor({ state: 'hidden' });
    await page.locator('[data-live=live]').waitFor();
  });
});

test('where a token is asked for, the page asks for it once, tells a wrong one, and keeps a right one for the tab', async () => {
  await using fixture = await startWithActors({ token: 'secret' });
  await using browser = await startBrowser();
  await using opened = await browser.open(addressOf(fixture.port, '#/nodes'));
  const { page } = opened;
  const dialog = page.getByRole('dialog', { name: 'This API asks for a token' });
  for (const token of ['wrong', 'secret']) {
    await dialog.waitFor();
    if (token === 'secret') await page.getByText('That token was refused').waitFor();
    await page.getByLabel('Token', { exact: true }).fill(token);
    await page.keyboard.press('Enter');
  }
  await page.getByRole('heading', { name: 'node-1' }).waitFor();
  await page.locator('[data-live=live]').waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'node-1' }).waitFor();
  assert.equal(await dialog.isVisible(), false);
  assert.doesNotMatch(page.url(), /secret/);
});

/**
 * An expression, with what a module of the page exports. A browser breaks off what it loads when the machine gets or loses
 * a network, as other tests make it do, and remembers a module that it could not load: then it gets another address.
 */
const inModule = (page: Page, name: string, expression: string): Promise<unknown> =>
  page.evaluate(`(async () => {
    const address = document.querySelector('script').src.replace('start.js', '${name}');
    for (let attempt = 1; ; attempt++) {
      const loaded = await import(address + '?attempt=' + attempt).catch((error) => error);
      if (!(loaded instanceof Error)) return ((module) => module.${expression})(loaded);
      if (attempt === 5) throw loaded;
    }
  })()`);
