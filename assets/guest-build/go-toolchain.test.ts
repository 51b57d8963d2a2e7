import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { isNewEnough } from './go-toolchain.ts';

test('compilers from Go 1.24 on are taken', () => {
  for (const version of ['go1.24', 'go1.24.4', 'go1.26.8', 'go2.0', 'go1.30rc1'])
    assert.ok(isNewEnough(version), version);
  for (const version of ['go1.23.9', 'go1.4', 'go0.99', '', 'devel']) assert.ok(!isNewEnough(version), version);
});

test('the agent asks for no newer one', async () => {
  const module = await readFile(path.join(import.meta.dirname, '../guest-agent/go.mod'), 'utf8');
  const needed = /^go (.*)$/m.exec(module)?.[1];
  assert.equal(needed, '1.24.0');
});
