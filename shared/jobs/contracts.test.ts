import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jobSchema } from './contracts.ts';

const job = {
  kind: 'resume',
  operationId: '00000000-0000-4000-8000-000000000000',
  requestedAt: '2026-01-01T00:00:00.000Z',
  deadlineAt: '2026-01-01T00:01:00.000Z',
  actorId: 'alice',
  epoch: '1.2',
};

test('a job survives its queue', () => {
  assert.deepEqual(jobSchema.parse(JSON.parse(JSON.stringify(job))), job);
});

test('whatever stands in a queue is a job or refused, never an exception of another kind', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(jobSchema.safeParse(value).success, false);
    }),
  );
  const field = fc.constantFrom(...(Object.keys(job) as (keyof typeof job)[]));
  fc.assert(
    fc.property(field, fc.jsonValue(), (name, value) => {
      const changed = { ...job, [name]: value };
      const parsed = jobSchema.safeParse(changed);
      if (parsed.success) assert.ok(typeof value === 'string', `${name} may not be ${JSON.stringify(value)}`);
    }),
  );
});
