import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { execa } from 'execa';
import { removeTree } from '../../shared/process/remove-tree.ts';
import { checkoutWord, checkWords, findWords, hostsIn, testWords } from './words.ts';

/** Put together here, so that this file does not contain what the guard refuses. */
const call = (name: string, rest: string) => ['test', `${name}${rest}`].join('.');

async function clone(context: TestContext): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'dormouse-words-'));
  context.after(() => removeTree(root, tmpdir()));
  await execa('git', ['init', '--quiet'], { cwd: root });
  return root;
}

suite('words that must not be in the project', () => {
  test('hosts are found in what npm, go and apt say', () => {
    const said =
      'https://npm.example.org/path/\nhttps://user:pw@go.example.com:8443,direct|off\nURIs: http://Deb.example.net/debian';
    assert.deepEqual(hostsIn(said), ['npm.example.org', 'go.example.com', 'deb.example.net']);
    assert.deepEqual(hostsIn('http://127.0.0.1:4873/ http://localhost:80 file:///srv direct'), []);
  });

  test('lonely and unexplained tests are refused, in test files only', () => {
    const refused = [
      call('only', '("x")'),
      call('skip', '("x")'),
      ['test("x", { only', ' true }, run)'].join(':'),
      call('todo', '("x")'),
      ['context', 'skip()'].join('.'),
      ['{ skip', ' true }'].join(':'),
    ];
    for (const line of refused) {
      assert.equal(findWords('a.test.ts', line, testWords).length, 1, line);
      assert.equal(findWords('a.ts', line, testWords).length, 0, line);
    }
    const allowed = [
      `test('x', { skip: 'no KVM here' }, run)`,
      `context.skip('no KVM here')`,
      `place({ only: true })`,
      `items.skip(2)`,
      'test("only")',
    ];
    for (const line of allowed) assert.deepEqual(findWords('a.test.ts', line, testWords), [], line);
  });

  test('the path of the checkout is refused, a longer name that begins like it is not', () => {
    const [word] = checkoutWord('/home/me/dormouse');
    assert.ok(word);
    assert.ok(word.pattern.test('see /home/me/dormouse/api'));
    assert.ok(!word.pattern.test('see /home/me/dormouse-two/api'));
    assert.deepEqual(checkoutWord('/opt/dormouse'), []);
    assert.deepEqual(checkoutWord('/dormouse'), []);
  });

  test('a whole clone is searched: new files too, ignored ones not, with the line', async (context) => {
    const root = await clone(context);
    await writeFile(path.join(root, '.gitignore'), 'ignored\n');
    await writeFile(path.join(root, 'ignored'), root);
    await writeFile(path.join(root, 'notes.md'), `first\nsee ${root}/x\n`);
    await writeFile(path.join(root, 'large.bin'), Buffer.alloc(512 * 1024 + 1));
    const findings = await checkWords(root);
    assert.deepEqual(
      findings.map(({ file, line }) => ({ file, line })),
      [
        { file: 'large.bin', line: 1 },
        { file: 'notes.md', line: 2 },
      ],
    );
  });

  test("this machine's own registry is refused without being named here", async (context) => {
    const root = await clone(context);
    const { stdout: registry } = await execa('npm', ['config', 'get', 'registry']);
    const [host] = hostsIn(registry);
    if (host === undefined) {
      context.skip('the registry of this machine is on loopback');
      return;
    }
    await writeFile(path.join(root, 'lock.json'), `{ "resolved": "${registry}x.tgz" }`);
    assert.equal((await checkWords(root))[0]?.what, 'the host of a package registry or mirror');
  });
});
