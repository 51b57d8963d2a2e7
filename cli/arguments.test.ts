import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { positiveNumber } from './arguments.ts';
import { UsageError, type Arguments, type Command } from './command.ts';
import { commands } from './commands.ts';
import { buildProgram, runProgram } from './program.ts';

const command = (name: string, positionals: string[]): Command => ({
  name,
  summary: '',
  positionals,
  options: {
    label: { type: 'string', short: 'l', multiple: true, help: '' },
    timeout: { type: 'string', help: '' },
    wait: { type: 'boolean', help: '' },
    'no-wake': { type: 'boolean', help: '' },
  },
  example: '',
  run: () => Promise.resolve(0),
});
const table = [command('do it', ['<id>', '[path]']), command('run', ['<id>', '<command...>'])];

/** The command that was run, and its arguments. */
async function parse(...words: string[]): Promise<Arguments & { readonly name: string }> {
  const found: (Arguments & { readonly name: string })[] = [];
  const code = await runProgram(table, words, ({ name }, args) => {
    found.push({ name, ...args });
    return Promise.resolve(7);
  });
  assert.equal(code, 7);
  const [args] = found;
  assert.ok(args);
  return args;
}

const refused = (words: string[], pattern: RegExp) =>
  assert.rejects(
    runProgram(table, words, () => Promise.resolve(0)),
    (error: unknown) => error instanceof UsageError && pattern.test(error.message),
  );

suite('the command line', () => {
  test('positionals and options may be mixed', async () => {
    const args = await parse('do', 'it', '--label', 'a=1', 'alice', '-l', 'b=2', '--wait', '--no-wake', '--', '--odd');
    assert.equal(args.name, 'do it');
    assert.equal(args.required('id'), 'alice');
    assert.equal(args.optional('path'), '--odd');
    assert.deepEqual(args.options('label'), ['a=1', 'b=2']);
    assert.deepEqual([args.flag('wait'), args.flag('no-wake'), args.flag('quiet')], [true, true, false]);
    const bare = await parse('do', 'it', 'alice');
    assert.deepEqual([bare.flag('no-wake'), bare.option('output'), bare.options('label')], [false, undefined, []]);
  });

  test('what is meant for a program in an actor is left as it is', async () => {
    for (const words of [
      ['alice', 'ls', '-l', '--wait'],
      ['alice', '--', 'ls', '-l', '--wait'],
      ['--', 'alice', 'ls', '-l', '--wait'],
    ]) {
      const args = await parse('run', ...words);
      assert.equal(args.flag('wait'), false);
      assert.deepEqual(
        args.rest('command').filter((word) => word !== '--'),
        ['ls', '-l', ...['--wait']],
      );
    }
    assert.equal((await parse('run', '--wait', 'alice', 'ls')).flag('wait'), true);
  });

  test('what is missing, unknown or too much is refused by name', async () => {
    await refused(['do', 'it'], /missing required argument 'id'/);
    await refused(['do', 'it', 'a', 'b', 'c'], /too many arguments/);
    await refused(['do', 'it', 'a', '--nope'], /unknown option '--nope'/);
    await refused(['do', 'it', 'a', '--label'], /argument missing/);
    await refused(['do', 'it', 'a', '-o', 'xml'], /choices are table, json, yaml/);
    await refused(['dance'], /unknown command 'dance'/);
    await refused(['do', 'that'], /no such command: do that; there are: it/);
    for (const text of ['0', '-1', 'soon']) {
      const args = await parse('do', 'it', 'a', `--timeout=${text}`);
      assert.throws(() => positiveNumber(args, 'timeout'), UsageError);
    }
  });

  test('every command explains itself, and its example is one that it would accept', async () => {
    for (const known of commands) {
      const [example = ''] = known.example.split(/ [|>] /);
      const words = [...example.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word.replace(/^['"]|['"]$/g, ''));
      const ran: string[] = [];
      await runProgram(commands, words.slice(1), ({ name }) => {
        ran.push(name);
        return Promise.resolve(0);
      });
      assert.deepEqual(ran, [known.name], known.example);
      assert.ok(known.summary !== '' && !known.summary.endsWith('.'), known.name);
    }
    const help = buildProgram(commands, () => Promise.resolve(0)).helpInformation();
    for (const { name } of commands) assert.ok(help.includes(name.split(' ')[0] ?? ''), name);
  });
});
