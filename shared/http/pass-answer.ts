/** The way back of an exchange: the target's answer to the client, with back-pressure, trailers and a truthful end. */
import type { IncomingMessage } from 'node:http';
import type { Forward, ForwardOutcome } from './exchange.ts';
import { endToEnd, pairs } from './raw-headers.ts';

/** Streams the answer to the client and reports how it ended. */
export function passAnswer(
  exchange: Forward,
  answer: IncomingMessage,
  settle: (outcome: ForwardOutcome) => void,
): void {
  const { response } = exchange;
  const status = answer.statusCode ?? 502;
  const headers = exchange.onAnswer?.(answer) ?? endToEnd(answer.rawHeaders);
  response.writeHead(status, reasonPhrase(answer.statusMessage), headers as string[]);
  answer.on('data', (chunk: Buffer) => {
    if (response.write(chunk)) return;
    answer.pause();
    response.once('drain', () => answer.resume());
  });
  // An event stream's headers come long before its first event; a short body shares their packet, and is here by then.
  process.nextTick(flushUnlessMore, exchange, answer);
  answer.once('end', () => {
    if (answer.rawTrailers.length > 0) response.addTrailers(pairs(endToEnd(answer.rawTrailers)));
    response.end(() => settle({ outcome: 'answered', status }));
  });
  answer.once('close', () => {
    if (answer.readableEnded) return;
    response.destroy();
    settle({ outcome: 'cut' });
  });
}

function flushUnlessMore({ response }: Forward, answer: IncomingMessage): void {
  if (answer.complete || answer.readableLength > 0) return;
  if (!response.destroyed && !response.writableEnded) response.flushHeaders();
}

/** Undefined lets node choose: a phrase with bytes it would refuse to send is not worth failing for. */
export function reasonPhrase(phrase: string | undefined): string | undefined {
  return phrase !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(phrase) ? phrase : undefined;
}
