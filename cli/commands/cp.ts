/**
 * `dormouse cp`: a file, or a folder as an archive, into a container or out of it. `alice:/srv/x` is a path in an actor;
 * a local `-` is standard input or output. An archive is packed and unpacked by `tar`, which lets no name lead out.
 */
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { UsageError, type Command, type Context } from '../command.ts';

export const copy: Command = {
  name: 'cp',
  summary: 'Copy a file or folder into an actor or out of it, waking it if it sleeps',
  positionals: ['<from>', '<to>'],
  options: {
    container: { type: 'string', short: 'c', value: 'name', help: "not in the template's first container" },
  },
  example: 'dormouse cp report.txt alice:/srv/report.txt',
  async run(context) {
    const from = context.arguments.required('from');
    const to = context.arguments.required('to');
    const [source, target] = [placeIn(from), placeIn(to)];
    if ((source === undefined) === (target === undefined)) {
      throw new UsageError('one of the two names a path in an actor, as alice:/srv/x; the other does not');
    }
    if (source !== undefined) await copyOut(context, source, to);
    else if (target !== undefined) await copyIn(context, from, target);
    return 0;
  },
};

interface Place {
  readonly id: string;
  readonly path: string;
}

/** The id of an actor is a DNS label, so `./a:/b` and `/a:/b` are local. */
export function placeIn(text: string): Place | undefined {
  const [, id, inside] = /^([a-z0-9](?:[a-z0-9-]*[a-z0-9])?):(\/.*)$/.exec(text) ?? [];
  return id === undefined || inside === undefined ? undefined : { id, path: inside };
}

/** What was copied last names it, as with cp: into `/srv/` goes `/srv/report.txt`. */
const nameIn = (folder: string, from: string): string =>
  folder.endsWith('/') ? folder + path.basename(path.resolve(from)) : folder;

async function copyIn({ client, arguments: args, terminal, signal }: Context, from: string, to: Place): Promise<void> {
  const facts = from === '-' ? undefined : await stat(from);
  const options = { container: args.option('container'), signal };
  const { files } = client.actor(to.id);
  if (facts?.isDirectory() === true) {
    const tar = execa('tar', ['-C', from, '-cf', '-', '.'], { buffer: false, stdin: 'ignore', cancelSignal: signal });
    const written = await files.put(nameIn(to.path, from), webOf(tar.stdout), { ...options, archive: true });
    await tar;
    terminal.say(`${written} bytes written to ${to.id}:${nameIn(to.path, from)}`);
    return;
  }
  const content = webOf(from === '-' ? process.stdin : createReadStream(from));
  const written = await files.put(nameIn(to.path, from), content, { ...options, mode: facts?.mode });
  terminal.say(`${written} bytes written to ${to.id}:${nameIn(to.path, from)}`);
}

async function copyOut({ client, arguments: args, signal }: Context, from: Place, to: string): Promise<void> {
  const options = { container: args.option('container'), signal };
  const { isFolder, mode, response } = await client.actor(from.id).files.get(from.path, options);
  const body = response.body === null ? Readable.from([]) : Readable.from(response.body as AsyncIterable<Uint8Array>);
  if (to === '-') {
    for await (const chunk of body) if (!process.stdout.write(chunk as Uint8Array)) await once(process.stdout, 'drain');
    return;
  }
  if (isFolder) {
    await mkdir(to, { recursive: true });
    await execa('tar', ['-C', to, '--no-same-owner', '-xf', '-'], { input: body, cancelSignal: signal });
    return;
  }
  const isLocalFolder = await stat(to).then(
    (there) => there.isDirectory(),
    () => false,
  );
  await pipeline(body, createWriteStream(isLocalFolder ? path.join(to, path.basename(from.path)) : to, { mode }));
}

const webOf = (stream: NodeJS.ReadableStream): ReadableStream<Uint8Array> =>
  Readable.toWeb(Readable.from(stream)) as ReadableStream<Uint8Array>;
