import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { explore } from './explore.ts';
import { allGuards, type Guards } from './state.ts';

const bounds = { nodes: 2, epochs: 3, faults: 2 } as const;

/** What the model finds without each guard. */
const findings: Readonly<Record<keyof Guards, RegExp>> = {
  fenceFirst: /may both commit/,
  createOnly: /goes on from/,
  epochChecked: /run at once/,
  jobChecked: /run at once/,
  endsBeforeLease: /run at once/,
  nodeLeadsFirst: /run at once/,
  reportsMissing: /no way out/,
  fencesUnknownCommit: /may both commit/,
  newIncarnation: /run at once/,
  announcePeriod: /run at once/,
  fencesEarlierLives: /may both commit/,
};

suite('the model of claim, lease, fence and commit', () => {
  test('with all guards: one activation, no lost generation, a way out of every state', () => {
    const { states, violation } = explore(allGuards, bounds);
    assert.equal(violation, undefined, JSON.stringify(violation, undefined, 1));
    assert.ok(states > 100_000, `only ${states} states were looked at`);
  });

  for (const [guard, words] of Object.entries(findings)) {
    test(`without ${guard} it finds a way to break a promise`, () => {
      const { violation } = explore({ ...allGuards, [guard]: false }, bounds);
      assert.match(violation?.words ?? 'nothing', words, violation?.way.join('\n'));
    });
  }
});
