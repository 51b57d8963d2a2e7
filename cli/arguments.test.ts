import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { findCommand, parseCommandLine, positiveNumber } from './arguments.ts';
import { UsageError, type Command } from './command.ts';
import { commands } from './commands.ts';
import { explain } from './help.ts';

const command: Command = {
  name: 'do it',
  summary: '',
  positionals: ['<id>', '[path]'],
  options: {
    label: { type: 'string', multiple: true, help: '' },
    timeout: { type: 'string', help: '' },
    wait: { type: 'boolean', help: '' },
  },
  example: '',
  run: () => Promise.resolve(0),
};

const refused = (words: string[], pattern: RegExp) =>
  assert.throws(
    () => parseCommandLine(command, words),
    (error: unknown) => error instanceof UsageError && pattern.test(error.message),
  );

suite('the command line', () => {
  test('the longest command that is named wins', () => {
    const longer = { ...command, name: 'do it all' };
    assert.equal(findCommand([command, longer], ['do', 'it', 'all', 'x'])?.command.name, 'do it all');
    assert.deepEqual(findCommand([command, longer], ['do', 'it', 'x', 'all'])?.rest, ['x', 'all']);
    assert.equal(findCommand([command], ['do']), undefined);
  });

  test('positionals and options may be mixed', () => {
    const args = parseCommandLine(command, ['--label', 'a=1', 'alice', '--label=b=2', '--wait', '--', '--odd']);
    assert.equal(args.required('id'), 'alice');
    assert.equal(args.optional('path'), '--odd');
    assert.deepEqual(args.options('label'), ['a=1', 'b=2']);
    assert.equal(args.flag('wait'), true);
    assert.equal(args.option('output'), 'table');
  });

  test('what is missing, unknown or too much is refused by name', () => {
    refused([], /<id> is missing/);
    refused(['a', 'b', 'c'], /unexpected argument "c"/);
    refused(['a', '--nope'], /unknown option '--nope'/);
    refused(['a', '--label'], /argument missing/);
    assert.equal(parseCommandLine(command, ['--help']).flag('help'), true);
    for (const text of ['0', '-1', 'soon']) {
      assert.throws(() => positiveNumber(parseCommandLine(command, ['a', `--timeout=${text}`]), 'timeout'), UsageError);
    }
  });

  test('every command explains itself, and its example is one that it would accept', () => {
    for (const known of commands) {
      const text = explain(known);
      assert.ok(text.includes(`Usage: dormouse ${known.name}`) && text.includes(known.example), known.name);
      const [example = ''] = known.example.split(' | ');
      const words = [...example.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word.replace(/^['"]|['"]$/g, ''));
      const found = findCommand(commands, words.slice(1));
      assert.equal(found?.command, known);
      assert.doesNotThrow(() => parseCommandLine(known, found.rest), known.name);
    }
  });
});
