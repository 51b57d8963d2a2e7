import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureRecords } from './records.ts';

test('a sleeping actor costs Redis a bounded number of bytes, and a page reads no more than its own records', async () => {
  const { redisBytesPerActor, commandsPerPage, actors } = await measureRecords(5000, {
    say: () => undefined,
    signal: new AbortController().signal,
  });
  assert.equal(actors, 5000);
  assert.ok(redisBytesPerActor > 300 && redisBytesPerActor < 2000, `${redisBytesPerActor} bytes`);
  assert.ok(commandsPerPage <= 102, `${commandsPerPage} commands for 100 actors`);
});
