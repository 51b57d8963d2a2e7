import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test, type TestContext } from 'node:test';
import { execa } from 'execa';
import { temporaryFolder } from './test-images.ts';
import { digestEntry, treeDigestOf, walkTree } from './tree.ts';
import { checkTree, recordTree } from './tree-record.ts';

const digestOf = (root: string): string => treeDigestOf([...walkTree(root)].map((entry) => digestEntry(root, entry)));
const notUtf8 = (root: string): Buffer => Buffer.concat([Buffer.from(`${root}/b-`), Buffer.from([0xff, 0xfe])]);

/** One of every kind, made in the given order. */
async function createTree(root: string, order: 'forward' | 'backward'): Promise<void> {
  for (const folder of ['a', 'a.b']) mkdirSync(`${root}/${folder}`, { recursive: true });
  const steps: (() => unknown)[] = [
    () => writeFileSync(`${root}/a/file`, 'content'),
    () => writeFileSync(`${root}/a.b/x`, ''),
    () => writeFileSync(notUtf8(root), 'odd name'),
    () => symlinkSync('/nowhere', `${root}/link`),
    () => execa('mkfifo', [`${root}/fifo`]),
    () => execa('mknod', [`${root}/device`, 'c', '1', '3']),
  ];
  for (const step of order === 'forward' ? steps : steps.reverse()) await step();
}

async function trees(t: TestContext): Promise<[string, string]> {
  const folder = await temporaryFolder(t);
  await createTree(`${folder}/one`, 'forward');
  await createTree(`${folder}/two`, 'backward');
  return [`${folder}/one`, `${folder}/two`];
}

test('the digest is that of the content, whatever the order it was made in and its times', async (t) => {
  const [one, two] = await trees(t);
  utimesSync(`${two}/a/file`, 1, 1);
  assert.equal(digestOf(one), digestOf(two));
});

test('a hard link counts as its content', async (t) => {
  const [one, two] = await trees(t);
  linkSync(`${one}/a/file`, `${one}/second`);
  writeFileSync(`${two}/second`, 'content');
  assert.equal(digestOf(one), digestOf(two));
});

const changes: Record<string, (root: string) => unknown> = {
  'a content': (root) => writeFileSync(`${root}/a/file`, 'CONTENT'),
  'a mode': (root) => chmodSync(`${root}/a/file`, 0o4755),
  'an owner': (root) => chownSync(`${root}/a/file`, 1, 0),
  'a group': (root) => chownSync(`${root}/a`, 0, 1),
  'a name': (root) => renameSync(`${root}/a/file`, `${root}/a/other`),
  'a name that is not UTF-8': (root) => renameSync(notUtf8(root), `${root}/b-\ufffd\ufffd`),
  'a link': (root) => {
    rmSync(`${root}/link`);
    symlinkSync('/elsewhere', `${root}/link`);
  },
  'a device': async (root) => {
    rmSync(`${root}/device`);
    await execa('mknod', [`${root}/device`, 'c', '1', '5']);
  },
  'a type': (root) => {
    rmSync(`${root}/fifo`);
    writeFileSync(`${root}/fifo`, '');
  },
  'the mode of the root': (root) => chmodSync(root, 0o700),
  'a folder more': (root) => mkdirSync(`${root}/more`),
};

for (const [what, change] of Object.entries(changes)) {
  test(`${what}: noticed by the digest and by a check against the record`, async (t) => {
    const [root] = await trees(t);
    const before = recordTree(root, `${root}.jsonl`);
    assert.deepEqual(checkTree(root, `${root}.jsonl`), {
      outcome: 'same',
      treeDigest: before.treeDigest,
      contentsRead: false,
    });
    await change(root);
    assert.notEqual(digestOf(root), before.treeDigest);
    const check = checkTree(root, `${root}.jsonl`);
    assert.equal(check.outcome, 'different');
    assert.equal(check.treeDigest, digestOf(root));
    assert.ok(check.differences.length > 0);
  });
}

test('a touched tree is read once, then cheap again', async (t) => {
  const [root] = await trees(t);
  const { treeDigest } = recordTree(root, `${root}.jsonl`);
  writeFileSync(`${root}/a/file`, 'content');
  assert.deepEqual(checkTree(root, `${root}.jsonl`), { outcome: 'same', treeDigest, contentsRead: true });
  assert.deepEqual(checkTree(root, `${root}.jsonl`), { outcome: 'same', treeDigest, contentsRead: false });
});
