/** The pages in a real browser: nothing is fetched, nothing complains, and no words run into each other or out of sight. */
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { findChromium, openPage, type Appearance } from '../browser.ts';
import { compareResults } from '../result/comparison.ts';
import { resultSchema } from '../result/result.ts';
import { comparisonPage } from './comparison-page.ts';
import { resultPage } from './result-page.ts';
import { sampleResult } from './sample-result.ts';

const [a, b] = [sampleResult(), sampleResult(1.4)];
const pages = {
  result: resultPage(a),
  comparison: comparisonPage(a, b, compareResults(a, b)),
};

type Opened = Awaited<ReturnType<typeof openPage>>['page'];

/** Runs in the page: words of each drawing that leave it or lie upon other words, and tables wider than the page. */
const findUnreadable = `(() => {
  const box = (node) => node.getBoundingClientRect();
  const found = [];
  for (const svg of document.querySelectorAll('svg')) {
    const frame = box(svg);
    const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent !== '');
    for (const [index, text] of texts.entries()) {
      const one = box(text);
      const name = svg.getAttribute('aria-label') + ': ' + text.textContent;
      if (one.left < frame.left - 1 || one.right > frame.right + 1 || one.bottom > frame.bottom + 1) found.push('cut: ' + name);
      for (const other of texts.slice(index + 1)) {
        const two = box(other);
        const apart = one.right <= two.left + 1 || two.right <= one.left + 1 || one.bottom <= two.top + 2 || two.bottom <= one.top + 2;
        if (!apart) found.push('over ' + other.textContent + ': ' + name);
      }
    }
  }
  if (document.documentElement.scrollWidth > window.innerWidth) found.push('the page is wider than the screen');
  return found;
})()`;

const unreadable = async (page: Opened): Promise<string[]> => await page.evaluate<string[]>(findUnreadable);

const paper = (page: Opened): Promise<string> =>
  page.evaluate<string>('getComputedStyle(document.body).backgroundColor');

suite('the pages', () => {
  let chromium = '';
  before(async () => void (chromium = await findChromium()));

  for (const [name, html] of Object.entries(pages)) {
    test(`${name}: light, dark, narrow and printed, all words are readable and nothing is asked for`, async () => {
      const papers = new Map<Appearance | 'print', string>();
      for (const appearance of ['light', 'dark'] as const) {
        await using opened = await openPage(html, chromium, appearance);
        const { page, complaints } = opened;
        papers.set(appearance, await paper(page));
        assert.deepEqual(await unreadable(page), [], appearance);
        await page.setViewportSize({ width: 400, height: 800 });
        assert.deepEqual(await unreadable(page), [], `${appearance}, narrow`);
        if (appearance === 'dark') {
          await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
          await page.setViewportSize({ width: 700, height: 1000 });
          papers.set('print', await paper(page));
          assert.deepEqual(await unreadable(page), [], 'printed');
          assert.equal((await page.pdf({ format: 'A4' })).subarray(0, 5).toString(), '%PDF-');
        }
        const picture = await page.screenshot({ fullPage: true });
        assert.equal(picture.subarray(1, 4).toString(), 'PNG');
        assert.deepEqual(complaints, []);
      }
      assert.notEqual(papers.get('light'), papers.get('dark'));
      assert.equal(papers.get('print'), papers.get('light'), 'dark is for screens');
    });
  }

  test('every drawing has something in it, and what others wrote stays text', async () => {
    await using opened = await openPage(pages.result, chromium);
    const empty = await opened.page.evaluate<number>(
      `[...document.querySelectorAll('svg')].filter((svg) => svg.querySelector('path, rect, circle') === null).length`,
    );
    const drawings = await opened.page.locator('svg').count();
    assert.deepEqual([empty, drawings], [0, 14]);
    assert.equal(await opened.page.locator('b', { hasText: 'anyone' }).count(), 0);
    assert.ok(await opened.page.getByText('what <b>anyone</b> & "someone" wrote stays text').isVisible());
  });

  test('the sample is a result as the schema wants it', () => {
    assert.deepEqual(resultSchema.parse(JSON.parse(JSON.stringify(a))), a);
  });
});
