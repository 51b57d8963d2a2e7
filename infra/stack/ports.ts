/** The ports of the stack: chosen before anything starts, so that a process that is restarted comes back to its own. */
import { createServer } from 'node:net';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { freePort } from '../servers/free-port.ts';

/** The wished port if nobody listens on it, or any free one for 0. Failure: `precondition-missing` says who to ask. */
export async function decidePort(host: string, wished: number): Promise<number> {
  if (wished === 0) return freePort();
  const refusal = await tryToListen(host, wished);
  if (refusal === undefined) return wished;
  throw new DormouseError(
    'precondition-missing',
    refusal === 'EADDRINUSE'
      ? `port ${wished} of ${host} is taken: stop what listens there, or set DORMOUSE_PORT to another port`
      : `cannot listen on port ${wished} of ${host} (${refusal}): correct DORMOUSE_HOST and DORMOUSE_PORT`,
    { details: { host, port: wished, errno: refusal } },
  );
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}
