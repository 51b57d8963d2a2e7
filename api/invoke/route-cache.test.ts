import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Change } from '../../shared/registry/records.ts';
import { createRouteCache } from './route-cache.ts';

suite('routes', () => {
  const target = { host: '127.0.0.1', port: 1, pass: () => undefined };
  const feed = () => {
    const listeners = new Set<(change: Change) => void>();
    return {
      announce: (change: Change) => listeners.forEach((listener) => listener(change)),
      watch: (listener: (change: Change) => void) => {
        listeners.add(listener);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    };
  };

  test('a change of the actor ends its route, and an answer that was under way does not bring it back', () => {
    const changes = feed();
    using routes = createRouteCache(changes);
    const route = { node: 'node-1', epoch: '1.1', target };
    routes.keep('a', route);
    routes.keep('b', { node: 'node-1', epoch: '1.2', target });
    changes.announce({ kind: 'actor', id: 'a', state: 'suspending' });
    routes.confirm('a', route);
    assert.equal(routes.get('a'), undefined);
    assert.equal(routes.get('b')?.epoch, '1.2');
  });

  test('a refusal of an old route does not take a newer one out', () => {
    using routes = createRouteCache(feed());
    const old = { node: 'node-1', epoch: '1.1', target };
    routes.keep('a', old);
    routes.keep('a', { node: 'node-1', epoch: '1.2', target });
    routes.drop('a', old);
    assert.equal(routes.get('a')?.epoch, '1.2');
  });

  test('of too many the one used longest ago goes', () => {
    using routes = createRouteCache(feed(), 2);
    const a = { node: 'node-1', epoch: '1.1', target };
    routes.keep('a', a);
    routes.keep('b', { node: 'node-1', epoch: '1.2', target });
    routes.confirm('a', a);
    routes.keep('c', { node: 'node-1', epoch: '1.3', target });
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => routes.get(id)?.epoch),
      ['1.1', undefined, '1.3'],
    );
  });
});
