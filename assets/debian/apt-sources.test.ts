import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { debianMirror, findMirror, parseDeb822, parseOneLine, readMachineSources } from './apt-sources.ts';

const deb822 = `# the main archive
Types: deb deb-src
URIs: http://mirror.test/debian
# a comment inside
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 Suites: inside-a-key
 -----END PGP PUBLIC KEY BLOCK-----

types: deb
uris: http://security.mirror.test/debian-security
suites: bookworm-security
components: main
`;

test('deb822: several suites, folded fields, comments, field names in any case', () => {
  const mirror = 'http://mirror.test/debian';
  assert.deepEqual(parseDeb822(deb822), [
    { uri: mirror, suite: 'bookworm', components: ['main', 'contrib'] },
    { uri: mirror, suite: 'bookworm-updates', components: ['main', 'contrib'] },
    { uri: 'http://security.mirror.test/debian-security', suite: 'bookworm-security', components: ['main'] },
  ]);
});

test('deb822: a source that is switched off, or only of sources, counts for nothing', () => {
  const entry = (line: string): string => `${line}\nURIs: http://m.test/debian\nSuites: trixie\nComponents: main\n`;
  assert.deepEqual(parseDeb822(entry('Types: deb\nEnabled: no')), []);
  assert.deepEqual(parseDeb822(entry('Types: deb-src')), []);
  assert.equal(parseDeb822(entry('Types: deb\nEnabled: yes')).length, 1);
});

test('one line: options, several components, comments', () => {
  const text = `
# deb http://old.test/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://m.test/debian trixie main non-free # a remark
  deb http://m.test/debian-security trixie-security main
deb-src http://m.test/debian trixie main
deb cdrom:
`;
  assert.deepEqual(parseOneLine(text), [
    { uri: 'http://m.test/debian', suite: 'trixie', components: ['main', 'non-free'] },
    { uri: 'http://m.test/debian-security', suite: 'trixie-security', components: ['main'] },
  ]);
});

test('the mirror is that of the Debian suites, whichever they are', () => {
  const others = parseOneLine('deb http://other.test/node nodistro main\ndeb http://other.test/pg bookworm-pgdg main');
  const debian = parseDeb822(deb822);
  assert.deepEqual(debianMirror([...others, ...debian]), {
    main: 'http://mirror.test/debian',
    security: 'http://security.mirror.test/debian-security',
  });
  assert.equal(debianMirror(others), undefined);
  assert.equal(debianMirror(parseOneLine('deb http://u.test/ubuntu noble main')), undefined);
});

test('without a security source the archive beside the mirror is taken', () => {
  assert.deepEqual(debianMirror(parseOneLine('deb http://m.test/debian/ stable main')), {
    main: 'http://m.test/debian/',
    security: 'http://m.test/debian-security',
  });
});

test('a folder of sources is read in both formats; a machine without Debian is told what to set', async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'apt-'));
  context.after(() => rm(folder, { recursive: true }));
  await assert.rejects(findMirror(undefined, folder), {
    code: 'precondition-missing',
    message: /set DORMOUSE_DEBIAN_MIRROR/,
  });
  await mkdir(path.join(folder, 'sources.list.d'));
  await writeFile(path.join(folder, 'sources.list'), 'deb http://line.test/debian sid main\n');
  await writeFile(path.join(folder, 'sources.list.d/debian.sources'), deb822);
  await writeFile(path.join(folder, 'sources.list.d/off.sources.disabled'), 'deb http://off.test/debian sid main\n');
  assert.equal((await readMachineSources(folder)).length, 4);
  assert.equal((await findMirror(undefined, folder)).main, 'http://line.test/debian');
  const configured = { main: 'http://set.test/debian', security: 'http://set.test/s' };
  assert.deepEqual(await findMirror(configured, folder), configured);
});

test('any text of a sources file gives sources or none; what was written is read', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const sources of [parseDeb822(text), parseOneLine(text)]) assert.ok(Array.isArray(sources));
    }),
  );
  const word = fc.stringMatching(/^[a-z0-9./-]{1,12}$/);
  fc.assert(
    fc.property(word, word, fc.uniqueArray(word, { minLength: 1, maxLength: 3 }), (host, suite, components) => {
      const expected = [{ uri: `http://${host}`, suite, components }];
      const fields = [`Types: deb`, `URIs: http://${host}`, `Suites: ${suite}`, `Components: ${components.join(' ')}`];
      assert.deepEqual(parseDeb822(`${fields.join('\n')}\n`), expected);
      assert.deepEqual(parseOneLine(`deb http://${host} ${suite} ${components.join(' ')}\n`), expected);
    }),
  );
});
