/** Starts the programs that the hot case compares with. Each dies with the bench, and with its disposal. */
import { once } from 'node:events';
import path from 'node:path';
import { execa } from 'execa';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { LookedAtVm } from '../vm-look.ts';

interface Program extends AsyncDisposable {
  readonly port: number;
}

/** A Node.js program says its port within a second, on a machine that is not lost. */
const startLimitMs = 20_000;

async function startProgram(name: string, given: readonly string[], inside: readonly string[]): Promise<Program> {
  const file = path.join(import.meta.dirname, name);
  const words = [...inside, process.execPath, file, ...given];
  const child = execa('setpriv', ['--pdeathsig', 'KILL', '--', ...words], {
    buffer: { stdout: false },
    reject: false,
    detached: true,
  });
  const ended = child.then(({ stderr }) => stderr);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const said = once(child.stdout, 'data', { signal: AbortSignal.timeout(startLimitMs) });
  const line = await Promise.race([said.then(String), ended.then(() => undefined)]).catch(() => undefined);
  if (line !== undefined) return { port: Number(line), [Symbol.asyncDispose]: stop };
  await stop();
  throw new DormouseError('internal', `${name} did not start: ${await ended}`);
}

/** Two hops in processes of their own, as the api and a node's ingress are. */
export async function startTwoHops(target: string): Promise<{ readonly url: string } & AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const inner = undo.use(await startProgram('hop.ts', [target], []));
  const outer = undo.use(await startProgram('hop.ts', [`http://127.0.0.1:${inner.port}`], []));
  const resources = undo.move();
  return { url: `http://127.0.0.1:${outer.port}`, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Any port that the guest does not listen on. */
const plainPort = 18_080;
/** Which the plain server's answers bear, and the guest's do not. */
export const plainServerHeader = 'x-plain-server';

/** Puts a plain server in the place of a VM's guest: what dials the guest's port from now on gets to it instead. */
export async function startPlainServer(vm: LookedAtVm, port: number): Promise<AsyncDisposable> {
  const inside = ['nsenter', `--net=${vm.namespacePath}`, '--'];
  const program = await startProgram('plain-server.ts', [String(plainPort), plainServerHeader], inside);
  const [nsenter = '', ...words] = inside;
  const input = [
    `insert rule inet dormouse prerouting tcp dport ${port} redirect to :${plainPort}`,
    `insert rule inet dormouse input tcp dport ${plainPort} accept`,
  ].join('\n');
  await execa(nsenter, [...words, 'nft', '-f', '-'], { input }); // gone with the namespace
  return program;
}
