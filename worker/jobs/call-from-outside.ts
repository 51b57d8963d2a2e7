/** One GET of a template's program over the sandbox's network, the way that calls come. */
import { Agent, get } from 'node:http';

export interface OutsideCall {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** The status of the answer, once it has been read to its end. Rejects when the connection does not bring all of it. */
export async function callFromOutside(call: OutsideCall): Promise<number> {
  // Kept alive, so that it is we who end the connection: the guest then has nothing to remember of it.
  const agent = new Agent({ keepAlive: true });
  try {
    return await new Promise((resolve, reject) => {
      const request = get({ ...call, agent }, (response) => {
        response.on('error', reject);
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      request.on('error', reject);
    });
  } finally {
    agent.destroy();
  }
}
