import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import { createDemand } from './demand.ts';

const template = { revision: 'a' } as TemplateDescriptor;
const minute = 60_000;

test('demand: one for a while after a wake, more for a burst of misses, none when nobody calls', () => {
  let now = 1;
  const demand = createDemand(() => now);
  assert.equal(demand.wanted('a'), 0);
  demand.note(template, 'miss');
  assert.equal(demand.wanted('a'), 1);
  demand.note(template, 'miss');
  demand.note(template, 'miss');
  assert.equal(demand.wanted('a'), 3);
  now += 2 * minute;
  assert.equal(demand.wanted('a'), 1, 'the burst is over');
  demand.note(template, 'hit');
  now += 9 * minute;
  assert.equal(
    demand.missing(() => 0),
    template,
  );
  assert.equal(
    demand.missing(() => 1),
    undefined,
  );
  now += 2 * minute;
  assert.equal(demand.wanted('a'), 0);
});
