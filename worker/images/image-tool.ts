/**
 * Runs skopeo and umoci. They may work for minutes, so they die with their parent and on abort; what they leave then is
 * in a folder that nobody believes (image-store.ts). Failure: the given code with the tool's last words, or `disk-full`:
 * it would work as soon as there is room, while an image that is unavailable or invalid has an actor given up.
 */
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export interface ImageTool {
  readonly command: readonly [string, ...string[]];
  readonly failure: 'image-unavailable' | 'image-invalid';
  readonly subject: string;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

/** Resolves with standard output, byte for byte. */
export async function runImageTool({ command, failure, subject, signal, onLine }: ImageTool): Promise<Buffer> {
  const child = execa('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    cancelSignal: signal,
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
    stdin: 'ignore',
    // Proxy and certificate settings of the machine apply; a message in another language would not be recognised.
    env: { LC_ALL: 'C' },
  });
  if (onLine) child.stdout.on('data', (chunk: Buffer) => chunk.toString().split('\n').filter(Boolean).forEach(onLine));
  const result = await child;
  signal.throwIfAborted();
  if (!result.failed) return Buffer.from(result.stdout);
  const words = lastLines(Buffer.from(result.stderr).toString()) || (result.originalMessage ?? 'no message');
  throw new DormouseError(saysFull.test(words) ? 'disk-full' : failure, `${subject}: ${words}`, {
    details: { tool: command[0], exitCode: result.exitCode, stderr: words },
  });
}

/** The C library's and Go's words for ENOSPC and EDQUOT. */
const saysFull = /no space left on device|disk quota exceeded/i;

/** The end of what a tool said is where the reason stands; its log prefix says nothing. */
const lastLines = (stderr: string): string =>
  stderr
    .trim()
    .split('\n')
    .slice(-5)
    .map((line) => line.replace(/^time="[^"]*" level=\w+ msg="(.*)"$/, '$1').trim())
    .join('\n');
