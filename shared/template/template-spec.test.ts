import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { epochSchema } from '../actor/epoch.ts';
import { actorIdSchema, labelsSchema } from '../actor/names.ts';
import { revisionOf, templateSpecSchema } from './template-spec.ts';

const minimal = { name: 'web', containers: [{ name: 'main', image: 'oci:/x:y' }] };
const specWith = (fields: object) => templateSpecSchema.safeParse({ ...minimal, ...fields });
const containerWith = (fields: object) => specWith({ containers: [{ ...minimal.containers[0], ...fields }] });

suite('what users choose', () => {
  test('a name is safe as host name, folder and store key, or none', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9./_-]{0,70}$/), fc.constantFrom('a\n', '..', 'ä'));
    fc.assert(
      fc.property(text, (name) => {
        const isName = actorIdSchema.safeParse(name).success;
        assert.equal(isName, /^[a-z0-9-]+$/.test(name) && name.length <= 63 && !/^-|-$|\n/.test(name), name);
      }),
      { numRuns: 1000 },
    );
  });

  test('an epoch has two numbers that stay exact', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,20}$/)), (text) => {
        if (!epochSchema.safeParse(text).success) return;
        const [incarnation, counter, ...rest] = text.split('.').map(Number);
        assert.ok(Number.isSafeInteger(incarnation) && Number.isSafeInteger(counter) && rest.length === 0, text);
      }),
    );
  });

  test('any JSON is a specification or a refusal that names a field, and equal ones have one revision', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const read = templateSpecSchema.safeParse(value);
        if (!read.success) assert.ok(read.error.issues.length > 0);
      }),
    );
    const key = fc.constantFrom('memoryMiB', 'vcpus', 'idleTimeoutMs', 'egress', 'name', 'containers', 'unknown');
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 0, 1e300, 2 ** 53, Number.NaN, Infinity));
    fc.assert(
      fc.property(key, value, (name, anything) => {
        const read = specWith({ [name]: anything });
        if (!read.success) return;
        for (const number of [read.data.memoryMiB, read.data.vcpus])
          assert.ok(Number.isSafeInteger(number) && number > 0);
        const turned = Object.fromEntries(Object.entries(read.data).reverse()) as typeof read.data;
        assert.equal(revisionOf(turned), revisionOf(read.data));
      }),
    );
  });

  test('nothing that reaches the guest or a command line holds a NUL, and no name is special', () => {
    for (const fields of [{ command: ['a\0b'] }, { args: ['\0'] }, { env: { A: '\0' } }, { cwd: '/\0' }]) {
      assert.equal(containerWith(fields).success, false, JSON.stringify(fields));
    }
    for (const text of ['{"__proto__":"x"}', '{"constructor":"x"}']) {
      const env = containerWith({ env: JSON.parse(text) as unknown });
      assert.ok(env.success);
      assert.equal(Object.getPrototypeOf(env.data.containers[0]?.env), Object.prototype);
    }
    const labels = labelsSchema.safeParse(JSON.parse('{"__proto__":{"a":1}}'));
    assert.ok(!labels.success || Object.keys(labels.data).length === 0);
    assert.equal(({} as Record<string, unknown>)['a'], undefined);
  });

  test('warm-up calls need paths and a port; a specification without them is what it was', () => {
    const issuesOf = (fields: object): string[] =>
      containerWith(fields).error?.issues.map(({ path }) => path.join('.')) ?? [];
    const read = containerWith({ port: 8080, warmUp: { paths: ['/', '/a?b=c'] } });
    assert.deepEqual(read.data?.containers[0]?.warmUp, { paths: ['/', '/a?b=c'], times: 1 });
    assert.deepEqual(issuesOf({ warmUp: { paths: ['/'], times: 100, port: 81 } }), []);
    const within = (field: string): string => `containers.0.warmUp.${field}`;
    assert.deepEqual(issuesOf({ warmUp: { paths: ['/'] } }), [within('port')]);
    for (const [warmUp, field] of [
      [{ paths: [] }, 'paths'],
      [{ paths: Array.from({ length: 17 }, () => '/') }, 'paths'],
      [{ paths: ['/', 'b'] }, 'paths.1'],
      [{ paths: ['/a b'] }, 'paths.0'],
      [{ paths: [`/${'a'.repeat(1024)}`] }, 'paths.0'],
      [{ paths: ['/'], times: 0 }, 'times'],
      [{ paths: ['/'], times: 101 }, 'times'],
      [{ paths: ['/'], port: 65_536 }, 'port'],
    ] as const)
      assert.deepEqual(issuesOf({ port: 8080, warmUp }), [within(field)], JSON.stringify(warmUp));
    // The revision of a stored template is looked for again after each update of the platform.
    assert.equal(revisionOf(templateSpecSchema.parse(minimal)), '09d4b441880148495ca68b61a1c053ab');
  });
});
