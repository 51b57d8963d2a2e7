/**
 * `dormouse invoke`: calls an actor, waking it if it sleeps. The answer's body goes to standard output byte by byte, its
 * status and where the time went to standard error; a status of 400 or more is exit code 1.
 */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { UsageError, type Arguments, type Command } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import { watchingWake } from './watch-wake.ts';

export const invoke: Command = {
  name: 'invoke',
  summary: 'Call an actor',
  positionals: ['<id>', '[path]'],
  options: {
    method: { type: 'string', short: 'X', value: 'method', help: 'default GET, with --data POST' },
    data: { type: 'string', short: 'd', value: 'text|@file|@-', help: 'the body' },
    header: { type: 'string', short: 'H', multiple: true, value: '"Name: value"', help: 'may be given several times' },
    'no-wake': { type: 'boolean', help: 'fail rather than wake it' },
  },
  example: 'dormouse invoke alice /increment -X POST -d \'{"by":2}\' -H "Content-Type: application/json"',
  async run(context) {
    const { client, arguments: args, terminal, signal } = context;
    const id = args.required('id');
    const data = args.option('data');
    const init = {
      method: args.option('method')?.toUpperCase() ?? (data === undefined ? 'GET' : 'POST'),
      headers: headersOf(args),
      body: data === undefined ? null : await bodyOf(data),
      signal,
    };
    const path = args.optional('path') ?? '/';
    const response = await watchingWake(context, id, () => client.actor(id).fetch(path, init));
    await (terminal.format === 'table' ? stream(terminal, response) : showWhole(terminal, response));
    return response.status < 400 ? 0 : 1;
  },
};

function headersOf(args: Arguments): Headers {
  const headers = new Headers();
  for (const header of args.options('header')) {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(header) ?? [];
    if (name === undefined || value === undefined) throw new UsageError(`--header takes "Name: value", not ${header}`);
    headers.append(name, value);
  }
  if (args.flag('no-wake')) headers.set('dormouse-wake', 'never');
  return headers;
}

async function bodyOf(data: string): Promise<Uint8Array<ArrayBuffer> | string> {
  if (!data.startsWith('@')) return data;
  return new Uint8Array(data === '@-' ? await buffer(process.stdin) : await readFile(data.slice(1)));
}

async function stream(terminal: Terminal, response: Response): Promise<void> {
  const start = response.headers.get('dormouse-start');
  const phases = phasesIn(response.headers.get('server-timing') ?? '');
  const how = start === null ? '' : `, ${start} start${phases === '' ? '' : ` (${phases})`}`;
  terminal.say(`HTTP ${response.status}${how}`);
  if (response.body === null) return;
  const body: ReadableStream<Uint8Array> = response.body;
  for await (const chunk of body) await terminal.bytes(chunk);
}

/** `queue;dur=3.1, fetch;dur=8.2` as people read it. */
export const phasesIn = (serverTiming: string): string =>
  [...serverTiming.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, took]) => `${name} ${took} ms`).join(', ');

async function showWhole(terminal: Terminal, response: Response): Promise<void> {
  const answer = {
    status: response.status,
    start: response.headers.get('dormouse-start'),
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
  terminal.show(answer, {});
}
