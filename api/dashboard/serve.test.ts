import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { startWithActors } from '../stand-in/dashboard-page.ts';
import type { Fixture } from '../stand-in/fixture.ts';

suite('what is served', () => {
  let fixture: Fixture;
  before(async () => void (fixture = await startWithActors({ token: 'secret' })));
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
