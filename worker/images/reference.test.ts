import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { isLoopbackRegistry, parseReference, skopeoSource } from './reference.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

const accepted: readonly (readonly [string, string])[] = [
  ['docker://registry.example.com/a/b:1.0', 'docker://registry.example.com/a/b:1.0'],
  ['registry.example.com/a/b:1.0', 'docker://registry.example.com/a/b:1.0'],
  ['localhost/name', 'docker://localhost/name:latest'],
  ['127.0.0.1:5000/counter', 'docker://127.0.0.1:5000/counter:latest'],
  ['[::1]:5000/counter:x', 'docker://[::1]:5000/counter:x'],
  [`registry.example.com/a@${digest}`, `docker://registry.example.com/a@${digest}`],
  [`docker://registry.example.com/a:1@${digest}`, `docker://registry.example.com/a@${digest}`],
  ['oci:/srv/images/counter:latest', 'oci:/srv/images/counter:latest'],
  ['dir:/srv/images/counter', 'dir:/srv/images/counter'],
];

for (const [text, source] of accepted) {
  test(`accepts ${text}`, () => assert.equal(skopeoSource(parseReference(text)), source));
}

const refused = [
  '',
  'counter',
  'counter:latest',
  'library/counter:latest',
  'docker://counter',
  '--all',
  '--all/name',
  '-x.example.com/name',
  'registry.example.com/-name',
  'registry.example.com/name:',
  'registry.example.com/name:-tag',
  'registry.example.com/name:a b',
  'registry.example.com/Name',
  'registry.example.com/a//b',
  'registry.example.com/../b',
  'registry.example.com/',
  'registry.example.com/name@sha256:abc',
  `registry.example.com/name@${digest}@${digest}`,
  `registry.example.com/name@${digest.toUpperCase()}`,
  'registry.example.com:99999999/name',
  'registry.example.com/name\n--all',
  'containers-storage:name',
  'docker-daemon:name:tag',
  'docker-archive:/tmp/a.tar',
  'oci-archive:/tmp/a.tar',
  'oci:/srv/images',
  'oci:relative/dir:tag',
  'oci:/srv/../etc:tag',
  'oci:/srv/images:tag:more',
  'oci:/srv/images:-tag',
  'oci:/srv/im,ages:tag',
  'oci::tag',
  'dir:',
  'dir:relative',
  'dir:-x',
  'dir:/a/../b',
  'dir:/a\0b',
  'tarball:/tmp/a.tar',
  'https://registry.example.com/name',
  'user:secret@registry.example.com/name',
];

for (const text of refused) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseReference(text), { code: 'invalid-input' }));
}

test('whatever comes in, what reaches the tool is one word of a known transport', () => {
  const word = /^(docker:\/\/[a-z0-9[]|oci:\/|dir:\/)[^\s]*$/;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.constantFrom(...refused),
        fc.string().map((s) => `a.b/${s}`),
      ),
      (text) => {
        try {
          return word.test(skopeoSource(parseReference(text)));
        } catch (error) {
          return error instanceof DormouseError && error.code === 'invalid-input';
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('a pinned digest takes the place of the tag', () => {
  assert.equal(
    skopeoSource(parseReference('registry.example.com/a:1'), digest),
    `docker://registry.example.com/a@${digest}`,
  );
});

test('only a registry on this machine may speak plain HTTP', () => {
  const loopback = ['localhost/a', 'localhost:5000/a', '127.0.0.1:5000/a', '127.9.9.9/a', '[::1]:5000/a'];
  const others = [
    'registry.example.com/a',
    '127.0.0.1.example.com/a',
    'localhost.example.com/a',
    '10.0.0.1:5000/a',
    'dir:/a',
  ];
  for (const text of loopback) assert.equal(isLoopbackRegistry(parseReference(text)), true, text);
  for (const text of others) assert.equal(isLoopbackRegistry(parseReference(text)), false, text);
});
