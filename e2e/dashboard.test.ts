import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { auditPage, desktop, phone, startBrowser, type TestBrowser } from '../api/stand-in/browser.ts';
import { removeTree } from '../shared/process/remove-tree.ts';
import { startPlatform, type Platform } from './platform.ts';

/** A boot or a suspend on a machine without KVM that runs other tests too. */
const jobLimitMs = 120_000;

suite('dashboard', () => {
  let platform: Platform;
  let browser: TestBrowser;
  /** Kept in the folder that PICTURES names, for whoever wants to look at them. */
  let pictures: string;
  before(async () => {
    [platform, browser] = await Promise.all([startPlatform(), startBrowser()]);
    await platform.template('counter');
    await platform.client.actors.create({ id: 'seen', template: 'counter' });
    pictures = process.env['PICTURES'] ?? (await mkdtemp(path.join(tmpdir(), 'dormouse-pictures-')));
  });
  after(async () => {
    await browser[Symbol.asyncDispose]();
    if (process.env['PICTURES'] === undefined) await removeTree(pictures, tmpdir());
    await platform[Symbol.asyncDispose]();
  });

  test('an actor is woken and put to sleep by keyboard, and its wake is drawn phase by phase', async () => {
    await using opened = await browser.open(`${platform.url}/`);
    const { page, complaints } = opened;
    await page.locator('.row-of-list').first().waitFor();
    await page.getByRole('listbox', { name: 'Actors' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'seen' }).waitFor();
    for (const [verb, state] of [
      ['Resume', 'running'],
      ['Suspend', 'suspended'],
    ] as const) {
      await page.getByRole('button', { name: verb }).focus();
      await page.keyboard.press('Enter');
      await page.getByText(`${verb}: done`).first().waitFor({ timeout: jobLimitMs });
      await page.locator(`.detail-state [data-state=${state}]`).waitFor();
    }
    assert.equal((await platform.client.actors.get('seen')).generation, 1);
    const phases = await page.locator('.wake .waterfall th[scope=row]').allTextContents();
    for (const phase of ['queue', 'fetch', 'vmm', 'memory', 'load', 'guest'])
      assert.ok(phases.includes(phase), phases.join());
    assert.deepEqual(await page.locator('.plain tbody th').allTextContents(), ['1', '0']);
    assert.deepEqual(complaints, []);
  });

  test('real nodes, templates and starts, on a phone and a desk, by day and by night', async () => {
    for (const viewport of [phone, desktop]) {
      for (const appearance of ['light', 'dark'] as const) {
        await using opened = await browser.open(`${platform.url}/`, { viewport, appearance });
        for (const [place, sign] of [
          ['actors/seen', '.waterfall'],
          ['templates', '.card'],
          ['nodes', '.card'],
          ['starts', '.histogram'],
        ] as const) {
          await opened.page.goto(`${platform.url}/#/${place}`);
          await opened.page.locator(sign).first().waitFor();
          const name = `${place.replace('/', '-')}-${viewport.width}-${appearance}`;
          assert.deepEqual(await auditPage(opened.page), [], name);
          const picture = await opened.page.screenshot({ path: path.join(pictures, `${name}.png`) });
          assert.ok(picture.length > 5000, `${name} is more than an empty page`);
        }
        assert.deepEqual(opened.complaints, []);
      }
    }
    assert.equal(await nodesShown(browser, platform.url), 2);
  });
});

async function nodesShown(browser: TestBrowser, url: string): Promise<number> {
  await using opened = await browser.open(`${url}/#/nodes`);
  await opened.page.locator('.card').first().waitFor();
  return await opened.page.locator('.card [data-state=ready]').count();
}
