/** docs/guarantees.md names what holds each promise; this looks whether that is there. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test } from 'node:test';
import { repositoryRoot } from './tracked-files.ts';

interface Holder {
  readonly file: string;
  readonly name: string;
}

const page = await read('docs/guarantees.md');
const [promises = '', fences = ''] = page.split('\n## Where the fences are\n');

suite('guarantees', () => {
  test('every promise names a test', () => {
    const items = promises.split(/\n(?=- |## )/).filter((text) => text.startsWith('- '));
    assert.ok(items.length > 15, `${items.length} promises`);
    for (const item of items) assert.ok(testsIn(item).length > 0, `no test holds: ${item}`);
  });

  test('every named test is there', async () => {
    for (const { file, name } of testsIn(promises)) {
      const text = await read(file);
      assert.match(text, titled(name), `${file} has no test “${name}”`);
    }
  });

  test('every named fence is there', async () => {
    const rows = [...fences.matchAll(/\| `([^`]+)` \| `([^`]+)` \|/g)];
    assert.ok(rows.length > 8, `${rows.length} fences`);
    for (const [, file = '', name = ''] of rows) {
      assert.match(await read(file), new RegExp(`(function ${name}\\b|\\n {2}${name}: \`)`), `${file}: ${name}`);
    }
  });
});

/** In a name, `…` stands for what a template literal fills in. */
const titled = (name: string): RegExp =>
  new RegExp(`test\\(['\`]${name.split('…').map(RegExp.escape).join('\\$\\{\\w+\\}')}['\`]`);

const testsIn = (text: string): Holder[] =>
  [...text.matchAll(/`([^`]+\.ts)`\s+“([^”]+)”/g)].map(([, file = '', name = '']) => ({ file, name }));

function read(file: string): Promise<string> {
  return readFile(path.join(repositoryRoot, file), 'utf8');
}
