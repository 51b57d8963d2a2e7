import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorIdSchema } from '../../shared/actor/names.ts';
import { newActorId } from './actor-id.ts';

test('made-up ids are valid, short and different', () => {
  const ids = Array.from({ length: 2000 }, newActorId);
  for (const id of ids) {
    assert.ok(actorIdSchema.safeParse(id).success, id);
    assert.ok(id.length <= 32, id);
  }
  assert.equal(new Set(ids).size, ids.length);
});
