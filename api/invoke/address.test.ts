import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { addressOf } from './address.ts';

const domain = 'actors.localhost';
const address = (host: string | undefined, url: string) => addressOf(host, url, domain);

suite('address of an actor', () => {
  test('by host: any case, port and final dot; the path is untouched', () => {
    for (const host of ['a1.actors.localhost', 'A1.Actors.LocalHost:7070', 'a1.actors.localhost.:80']) {
      assert.deepEqual(address(host, '/x%2F?y=1'), { id: 'a1', path: '/x%2F?y=1' }, host);
    }
    assert.deepEqual(address('a.b.actors.localhost', '/'), { id: 'a', namespace: 'b', path: '/' });
    for (const labels of ['a.b.c', 'a.', '.b', 'a.-b', 'a..b']) {
      assert.deepEqual(address(`${labels}.actors.localhost`, '/'), { id: labels, path: '/' }, 'no actor’s name');
    }
    for (const host of ['actors.localhost', '.actors.localhost', 'xactors.localhost', 'a1.actors.localhost.example']) {
      assert.equal(address(host, '/'), undefined, host);
    }
    assert.equal(address(undefined, '/'), undefined);
  });

  test('by path: what follows `invoke` is the actor’s', () => {
    const paths = [
      ['/v1/actors/a/invoke', '/'],
      ['/v1/actors/a/invoke/', '/'],
      ['/v1/actors/a/invoke?x=1', '/?x=1'],
      ['/v1/actors/a/invoke/b//c/../d?e=%20', '/b//c/../d?e=%20'],
      ['http://api.example/v1/actors/a/invoke/x', '/x'],
    ];
    for (const [url = '', path] of paths) assert.deepEqual(address('127.0.0.1:7070', url), { id: 'a', path }, url);
    for (const url of ['/v1/actors/a', '/v1/actors/a/invoked', '/v1/actors//invoke', '/v1/actors/a/b/invoke/']) {
      assert.equal(address('127.0.0.1', url), undefined, url);
    }
  });

  test('the host goes before the path', () => {
    const url = '/v1/actors/other/invoke/x';
    assert.deepEqual(address('a.actors.localhost', url), { id: 'a', path: url });
  });

  test('whatever stands in Host and request line: one actor by its exact name, or none, and never an absolute path', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9.:/?#%@[\]-]{0,40}$/));
    fc.assert(
      fc.property(text, text, (host, url) => {
        const found = address(host, url);
        if (found === undefined) return;
        assert.doesNotMatch(found.path, /^https?:\/\//i);
        assert.ok(host.toLowerCase().includes('.actors.localhost') || url.includes(`/v1/actors/${found.id}/invoke`));
      }),
    );
    const id = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    const dressed = fc.tuple(fc.constantFrom('', ':80', ':', '.', '.:7070'), fc.boolean());
    fc.assert(
      fc.property(id, dressed, (name, [end, loud]) => {
        const host = `${loud ? name.toUpperCase() : name}.actors.localhost${end}`;
        assert.equal(address(host, '/')?.id, name);
        assert.equal(address(`${name}.actors.localhost.evil.example${end}`, '/'), undefined);
        assert.equal(address(`evil-actors.localhost${end}`, '/'), undefined);
      }),
    );
  });
});
