import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { caseNames, readConfiguration, templateNames } from './config.ts';

const settingsOf = (...words: string[]) => readConfiguration(words, {})?.settings;

suite('the command line of the bench', () => {
  test('everything is measured unless something is chosen', () => {
    assert.deepEqual(settingsOf()?.cases, caseNames);
    assert.deepEqual(settingsOf()?.templates, templateNames);
    assert.ok((settingsOf()?.rounds ?? 0) >= 15);
    const chosen = settingsOf('--case', 'wake,hot', '--template', 'node-counter', '--rounds', '3');
    assert.deepEqual(chosen?.cases, ['wake', 'hot']);
    assert.deepEqual(chosen.templates, ['node-counter']);
    assert.equal(chosen.rounds, 3);
  });

  test('a quick run is small, and rounds that are named still count', () => {
    assert.deepEqual(settingsOf('--quick')?.templates, ['counter']);
    assert.equal(settingsOf('--quick')?.rounds, 2);
    assert.equal(settingsOf('--quick', '--rounds', '7')?.rounds, 7);
  });

  test('what is not known is refused by its name', () => {
    assert.throws(() => settingsOf('--case', 'wake,dance'), /--case/);
    assert.throws(() => settingsOf('--rounds', '0'), /--rounds/);
    assert.throws(() => settingsOf('--sideways'), /sideways/);
    assert.equal(readConfiguration(['--help'], {}), undefined);
  });
});
