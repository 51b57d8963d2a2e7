/** The example programs in examples/, as their Dockerfiles and templates say, on a real platform. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { removeTree } from '../shared/process/remove-tree.ts';
import type { TemplateSpec } from '../sdk/templates.ts';
import { buildExample, exampleFolder, readDockerfile } from './examples/example-image.ts';
import { startPlatform, type Platform } from './platform.ts';

suite('examples', () => {
  let platform: Platform;
  let scratch: string;
  before(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'dm-examples-'));
    platform = await startPlatform();
  });
  after(async () => {
    await platform[Symbol.asyncDispose]();
    await removeTree(scratch, tmpdir());
  });

  const notesOf = async (name: string, init?: RequestInit): Promise<{ notes: string[]; startedAt?: string }> => {
    const response = await fetch(`${platform.url}/v1/actors/${name}/invoke/`, init);
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json()) as { notes: string[]; startedAt?: string };
  };

  for (const [name, packages] of [
    ['node-notes', ['nodejs']],
    ['python-notes', ['python3']],
  ] as const) {
    test(`${name} keeps its notes while it sleeps`, async () => {
      const image = await buildExample(name, packages, scratch);
      const text = await readFile(path.join(exampleFolder(name), 'template.json'), 'utf8');
      const spec = JSON.parse(text.replace(/"docker:[^"]+"/, JSON.stringify(image))) as TemplateSpec;
      await platform.client.templates.apply(spec);
      await platform.client.templates.waitReady(name, { timeoutMs: 180_000 });
      await platform.client.actors.create({ id: name, template: name });
      const first = await notesOf(name, { method: 'POST', body: 'buy acorns' });
      assert.deepEqual(first.notes, ['buy acorns']);
      await platform.client.actors.suspend(name, { waitMs: 60_000 });
      const second = await notesOf(name, { method: 'POST', body: 'sleep' });
      assert.deepEqual(second.notes, ['buy acorns', 'sleep']);
      assert.equal(second.startedAt, first.startedAt);
    });
  }

  test('a Dockerfile with a line that is not understood is refused', () => {
    assert.throws(() => readDockerfile('FROM x\nRUN rm -rf /'), /expected 6 lines/);
  });
});
