import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { ActorRecord } from '../../shared/registry/records.ts';
import { writePool } from '../../shared/registry/pool-report.ts';
import { auditPage, desktop, phone, startBrowser, type TestBrowser } from '../stand-in/browser.ts';
import { addressOf, has, rows, startWithActors } from '../stand-in/dashboard-page.ts';
import { until, type Fixture } from '../stand-in/fixture.ts';

const focused = (page: Page): Promise<string> =>
  page.evaluate(`document.activeElement.textContent.trim() || document.activeElement.getAttribute('aria-label')`);

suite('the dashboard in a browser', () => {
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
    await page.locator('.plain tbody th').nth(1).waitFor(); // the new generation is there when the list was asked for again
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
    const sent: string[] = [];
    page.on('request', (request) => request.method() !== 'GET' && sent.push(request.method()));
    await page.locator('[data-verb=pause][aria-disabled=true]').click({ force: true });
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog', { name: 'Delete doomed?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.deepEqual(sent, []);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await has(page, 'There is no such actor');
    assert.deepEqual(sent, ['DELETE']);
    assert.equal((await fixture.call('GET', '/v1/actors/doomed')).status, 404);
  });

  test('what an actor writes is shown as it comes, as text alone; it can be held, cleared and unwrapped', async () => {
    await fixture.sleeping('talker');
    await fixture.call('POST', '/v1/actors/talker/resume', { headers: { prefer: 'wait=10' } });
    const write = (...texts: string[]) => writeLines(fixture, texts);
    write('hello', '<img src=x onerror=alert(1)> \u001b[31mred\u001b[0m\ttab');
    await using opened = await browser.open(addressOf(fixture.port, '#/actors/talker'));
    const { page, complaints } = opened;
    const log = page.getByRole('log', { name: 'Log lines' });
    await log.scrollIntoViewIfNeeded().catch(() => undefined);
    await has(page, '<img src=x onerror=alert(1)> red\ttab');
    assert.equal(await log.locator('img').count(), 0);
    write('and another');
    await log.getByText('and another', { exact: true }).waitFor();

    const follow = page.getByRole('button', { name: 'Follow' });
    await follow.press('Enter');
    write('unseen so far');
    await page.getByRole('button', { name: 'Follow (1 new)' }).waitFor();
    assert.equal(await log.getByText('unseen so far').count(), 0);
    await follow.press('Enter');
    await log.getByText('unseen so far').waitFor();

    write('w'.repeat(4000));
    await log.getByText(/^w{4000}$/).waitFor();
    const sideways = () =>
      page.evaluate(`(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.querySelector('.log'))`);
    assert.equal(await sideways(), false);
    await page.getByRole('button', { name: 'Wrap' }).press('Enter');
    assert.equal(await sideways(), true);

    await page.getByRole('group', { name: 'Log' }).getByRole('button', { name: 'Clear' }).press('Enter');
    assert.equal(await log.locator('.log-line').count(), 0);
    write(...Array.from({ length: 3000 }, (_, index) => `line ${index}`));
    await log.getByText(/^line 2999$/).waitFor();
    assert.equal(await log.locator('.log-line').count(), 2000, 'the newest of them');
    assert.deepEqual(complaints, []);
  });

  test('of several containers one is chosen; the stream is open while the log is in sight, and goes on where it was', async () => {
    const containers = ['web', 'side'].map((name, index) => ({ name, image: `oci:/images:${name}`, port: 80 + index }));
    await fixture.sleeping('pair', { containers });
    await fixture.call('POST', '/v1/actors/pair/resume', { headers: { prefer: 'wait=10' } });
    writeLines(fixture, ['of the web'], 'web');
    writeLines(fixture, ['of the side'], 'side');
    await using opened = await browser.open(addressOf(fixture.port, '#/actors/pair'));
    const { page } = opened;
    const ended = page.waitForEvent('requestfailed', (request) => request.url().includes('container=side'));
    await page.getByLabel('Container', { exact: true }).selectOption('side');
    await page.locator('.log-line').getByText('of the side').waitFor();
    await until(async () => (await page.locator('.log-line').getByText('of the web').count()) === 0);
    await page.goto(addressOf(fixture.port, '#/nodes'));
    await ended;
    writeLines(fixture, ['meanwhile'], 'side');
    await page.goto(addressOf(fixture.port, '#/actors/pair'));
    await page.locator('.log-line').getByText('meanwhile').waitFor();
    assert.equal(await page.locator('.log-line').getByText('of the side').count(), 1, 'each line once');
  });

  test('a node is drained after a question, and gets actors again', async () => {
    const { bootId = '' } = (await fixture.registry.getNode('node-1')) ?? {};
    const waiting = { template: 't-alice', revision: 'r', ready: 2, making: 1 };
    await writePool(fixture.registry, { id: 'node-1', bootId }, [waiting]);
    await using opened = await browser.open(addressOf(fixture.port, '#/nodes'));
    const { page } = opened;
    await has(page, '2 ready, 1 being made');
    await page.getByRole('button', { name: 'Drain node-1' }).press('Enter');
    await page.getByRole('dialog', { name: 'Drain node-1?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal((await fixture.registry.getNode('node-1'))?.state, 'ready');
    await page.getByRole('button', { name: 'Drain node-1' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).press('Enter');
    await page.locator('.card [data-state=draining]').waitFor();
    const back = page.getByRole('button', { name: 'Give node-1 actors again' });
    await back.press('Enter');
    await page.locator('.card [data-state=ready]').waitFor();
    assert.equal((await fixture.registry.getNode('node-1'))?.state, 'ready');
  });

  test('a refusal is shown with its code, what to do next, and the id of the request', async () => {
    await using opened = await browser.open(addressOf(fixture.port, '#/actors?template=NOT+A+NAME'));
    const notice = opened.page.locator('.list-pane .notice');
    await notice.waitFor();
    assert.match(await notice.innerText(), /invalid-input[\s\S]+Correct the fields[\s\S]+Request \S{8}/);
  });

  test('every view has names, roles, contrast and room, on a phone and a desk, by day and by night', async () => {
    await fixture.call('POST', '/v1/actors/alice/resume', { headers: { prefer: 'wait=10' } });
    writeLines(fixture, ['a line', 'and another']);
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
    // The browser is perhaps still on its way to what was the end before.
    await until(async () => {
      await page.keyboard.press('End');
      return await page.getByText(nameOf(9999)).first().isVisible();
    });
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

/** What the stand-in node says that its actors wrote. */
function writeLines({ node }: Fixture, texts: readonly string[], container = 'main'): void {
  const { lines } = node.service;
  for (const text of texts) {
    const unixNanos = BigInt(Date.now()) * 1_000_000n + BigInt(lines.length);
    lines.push({ sequence: BigInt(lines.length + 1), unixNanos, container, isError: lines.length % 2 === 1, text });
  }
}

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
