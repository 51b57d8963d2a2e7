import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { ActorRecord } from '../../shared/registry/records.ts';
import { buildServer } from '../server.ts';
import { auditPage, desktop, phone, startBrowser, type TestBrowser } from '../stand-in/browser.ts';
import { startFixture, until, type Fixture } from '../stand-in/fixture.ts';

const start = (options: { readonly token?: string } = {}): Promise<Fixture> =>
  startFixture((_request, response) => response.end('hello'), options);
const addressOf = (port: number, place = ''): string => `http://127.0.0.1:${port}/${place}`;
const rows = (page: Page) => page.locator('.row-of-list');
const has = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();
const focused = (page: Page): Promise<string> =>
  page.evaluate(`document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label')`);

suite('what is served', () => {
  let fixture: Fixture;
  before(async () => void (fixture = await start({ token: 'secret' })));
  after(() => fixture[Symbol.asyncDispose]());

  test('the page needs no token, is asked for anew, and allows nothing inline or from elsewhere', async () => {
    const { status, headers, text } = await fixture.call('GET', '/');
    assert.equal(status, 200);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.doesNotMatch(text, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|\{\{/);
    assert.match(text, /content="actors\.test"/);
    const { etag = '' } = headers;
    assert.equal(headers['cache-control'], 'no-cache');
    assert.equal((await fixture.call('GET', '/', { headers: { 'if-none-match': etag } })).status, 304);
    assert.equal((await fixture.call('GET', '/v1/actors')).status, 401);
  });

  test('its files are kept for ever under their digest, and are not there under another', async () => {
    const { text } = await fixture.call('GET', '/');
    const files = [...text.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(([, file = '']) => `/${file}`);
    assert.ok(files.length >= 4, text);
    for (const file of files) {
      const { status, headers } = await fixture.call('GET', file);
      assert.deepEqual([status, headers['cache-control']], [200, 'public, max-age=31536000, immutable'], file);
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
    const other = String(files[0]).replace(/dashboard\/\w+/, 'dashboard/0123456789abcdef');
    assert.equal((await fixture.call('GET', other)).body['code'], 'route-not-found');
    const outside = String(files[0]).replace(/(dashboard\/\w+\/).*/, '$1..%2fserve.ts');
    assert.equal((await fixture.call('GET', outside)).status, 404);
  });

  test('no file names another host', async () => {
    const folder = new URL('page/', import.meta.url);
    for (const name of await readdir(folder, { recursive: true })) {
      if (!/\.(js|css|html|svg)$/.test(name)) continue;
      const text = await readFile(new URL(name, folder), 'utf8');
      assert.doesNotMatch(text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\/\w|url\(/, name);
    }
  });
});

suite('in a browser', () => {
  let fixture: Fixture;
  let browser: TestBrowser;
  before(async () => {
    [fixture, browser] = await Promise.all([start(), startBrowser()]);
    await fixture.sleeping('alice');
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  });

  test('with the keyboard alone: find an actor, wake it, see its waterfall, put it to sleep, go back', async () => {
    await using opened = await browser.open(addressOf(fixture.port));
    const { page, complaints } = opened;
    await rows(page).first().waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Skip to the content');
    await page.keyboard.press('/');
    await page.keyboard.type('ali');
    await page.waitForURL(/prefix=ali/);
    await page.getByRole('listbox', { name: 'Actors' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'alice' }).waitFor();
    assert.equal(await focused(page), 'alice');
    await has(page, 'Never awake so far');

    for (const [verb, state] of [
      ['Resume', 'running'],
      ['Suspend', 'suspended'],
    ] as const) {
      await page.getByRole('button', { name: verb }).focus();
      await page.keyboard.press('Enter');
      await has(page, new RegExp(`${verb}: done`));
      await page.locator(`.detail-state [data-state=${state}]`).waitFor();
      assert.equal(await focused(page), verb, 'the focus stays where it was');
      await page.locator(`.row-of-list [data-state=${state}]`).waitFor(); // and so does the list follow
    }
    assert.deepEqual(await page.locator('.wake .waterfall th[scope=row]').allTextContents(), ['queue', 'vmm']);
    assert.deepEqual(await page.locator('.plain tbody th').allTextContents(), ['1', '0']);
    await page.keyboard.press('Escape');
    await page.waitForURL(/#\/actors\?prefix=ali$/);
    assert.equal(await page.locator('.detail').isVisible(), false);
    assert.equal(await page.evaluate(`document.activeElement.getAttribute('role')`), 'listbox');
    assert.deepEqual(complaints, []);
  });

  test('on a phone too the focus comes back to the row', async () => {
    await using opened = await browser.open(addressOf(fixture.port, '#/actors/alice'), { viewport: phone });
    const { page } = opened;
    await page.locator('.events').waitFor();
    assert.equal(await page.locator('.list-pane').isVisible(), false);
    await page.keyboard.press('Escape');
    await page.locator('.row-of-list[aria-selected=true]').waitFor();
    assert.equal(await page.evaluate(`document.activeElement.getAttribute('role')`), 'listbox');
  });

  test('a button that does not fit the state does nothing; a deletion is asked about first', async () => {
    await fixture.call('POST', '/v1/actors', { body: { id: 'doomed', template: 't-alice' } });
    await using opened = await browser.open(addressOf(fixture.port, '#/actors/doomed'));
    const { page } = opened;
    const jobs = fixture.node.jobs.length;
    await page.locator('[data-verb=pause][aria-disabled=true]').click({ force: true });
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog', { name: 'Delete doomed?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(fixture.node.jobs.length, jobs);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await has(page, 'There is no such actor');
    assert.equal((await fixture.call('GET', '/v1/actors/doomed')).status, 404);
  });

  test('a refusal is shown with its code and what to do next', async () => {
    await fixture.call('POST', '/v1/actors', { body: { id: 'refused', template: 't-alice' } });
    await using opened = await browser.open(addressOf(fixture.port, '#/actors/refused'));
    const { page } = opened;
    await page.locator('[data-verb=resume][aria-disabled=false]').waitFor();
    await fixture.call('DELETE', '/v1/actors/refused', { headers: { prefer: 'wait=10' } });
    await page.goto(addressOf(fixture.port, '#/actors?label=%00'));
    const notice = page.locator('.list-pane .notice, .list-pane .empty');
    await notice.waitFor();
    await page.goto(addressOf(fixture.port, '#/actors?template=NOT+A+NAME'));
    await page.locator('.list-pane .notice').waitFor();
    assert.match(await page.locator('.list-pane .notice').innerText(), /invalid-input[\s\S]+Request/);
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

  test('every view has names, roles, contrast and room, on a phone and a desk, by day and by night', async () => {
    const places = ['actors', 'actors/alice', 'actors/nobody', 'templates', 'nodes', 'starts', 'nowhere'];
    for (const viewport of [phone, desktop]) {
      for (const appearance of ['light', 'dark'] as const) {
        await using opened = await browser.open(addressOf(fixture.port), { viewport, appearance });
        for (const place of places) {
          await opened.page.goto(addressOf(fixture.port, `#/${place}`));
          await opened.page
            .locator('.row-of-list, .events, .empty, .card, .histogram')
            .filter({ visible: true })
            .first()
            .waitFor();
          assert.deepEqual(await auditPage(opened.page), [], `${place}, ${viewport.width} px, ${appearance}`);
        }
      }
    }
  });

  test('the audit finds what is wrong', async () => {
    await using opened = await browser.open(addressOf(fixture.port));
    const { page } = opened;
    await rows(page).first().waitFor();
    await page.evaluate(`(() => {
      const make = (name, width, color) => {
        const e = document.body.appendChild(document.createElement(name));
        e.style.cssText = 'width:' + width + ';min-width:' + width + ';color:' + color + ';background:#fff';
        return e;
      };
      make('button', '9px', '#000');
      make('p', '2000px', '#aaa').textContent = 'faint';
      make('h1', '9px', '#000').id = 'main';
    })()`);
    const findings = (await auditPage(page)).join('\n');
    for (const what of [/no name: button/, /contrast 2\.\d+: p/, /2000 px wide/, /id twice: main/, /not one h1/])
      assert.match(findings, what);
  });

  test('the appearance is a choice that stays', async () => {
    await using opened = await browser.open(addressOf(fixture.port));
    const { page } = opened;
    const ground = () => page.evaluate(`getComputedStyle(document.body).backgroundColor`);
    const light = await ground();
    for (const now of ['system', 'light']) await page.getByRole('button', { name: `Appearance: ${now}` }).click();
    await page.getByRole('button', { name: 'Appearance: dark' }).waitFor();
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.reload();
    await page.getByRole('button', { name: 'Appearance: dark' }).waitFor();
    assert.equal(await ground(), dark);
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

  test('ten thousand actors: the page holds only the rows in sight, whichever way one goes through them', async (context) => {
    const model = await fixture.registry.getActor('alice');
    assert.ok(model);
    const nameOf = (index: number) => `many-${String(index).padStart(5, '0')}`;
    await createMany(fixture, model, 10_000, nameOf);
    await using opened = await browser.open(addressOf(fixture.port, '#/actors?prefix=many-'));
    const { page, complaints } = opened;
    await rows(page).first().waitFor();
    await page.evaluate(
      `window.tasks = []; new PerformanceObserver((list) => tasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask' })`,
    );
    const nodes = () => page.evaluate<number>(`document.querySelectorAll('*').length`);
    const atFirst = await nodes();
    await page.getByRole('listbox').focus();
    while (!(await page.locator('.count').innerText()).startsWith('10,000 actors')) {
      await page.keyboard.press('End');
      assert.ok((await rows(page).count()) < 60, 'only the rows in sight');
    }
    await page.keyboard.press('End');
    await has(page, nameOf(9999));
    assert.equal(await rows(page).last().getAttribute('aria-setsize'), '10000');
    await page.keyboard.press('PageUp');
    await page.keyboard.press('Home');
    await has(page, nameOf(0));
    assert.ok((await nodes()) < atFirst + 200, `${atFirst} elements at first, ${await nodes()} at the end`);
    const tasks = await page.evaluate<number[]>('tasks');
    context.diagnostic(`${atFirst} elements; long tasks: ${tasks.length}, the longest ${Math.max(0, ...tasks)} ms`);

    await page.getByLabel('Search by id').fill('many-0420');
    await page.locator('.count', { hasText: '10 actors' }).waitFor();
    assert.deepEqual(complaints, []);
  });
});

test('where a token is asked for, the page asks for it once, tells a wrong one, and keeps a right one for the tab', async () => {
  await using fixture = await start({ token: 'secret' });
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

/** An expression, with what a module of the page exports. */
const inModule = (page: Page, name: string, expression: string): Promise<unknown> =>
  page.evaluate(
    `import(document.querySelector('script').src.replace('start.js', '${name}')).then((module) => module.${expression})`,
  );

/** Straight into the registry: what is tested is the page, and each would write to the store. */
async function createMany(
  { registry }: Fixture,
  model: ActorRecord,
  count: number,
  nameOf: (index: number) => string,
): Promise<void> {
  const atOnce = 500;
  for (let from = 0; from < count; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => nameOf(from + index));
    await Promise.all(some.map((id) => registry.createActor({ ...model, id, uid: randomUUID() })));
  }
}
