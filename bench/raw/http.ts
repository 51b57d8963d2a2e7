/** One GET on a connection of its own, as a first call to a VM is. */
import { get } from 'node:http';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

/** The body of a 200; anything else is a failure. */
export function getOnce(address: string, port: number, path: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: address, port, path, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(body);
        else reject(new DormouseError('internal', `${path} answered ${String(response.statusCode)}: ${body}`));
      });
    });
    request.on('error', reject);
  });
}
