/** Reads a stream of events as a client does, for tests. */
import http, { type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';

interface Block {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

export interface EventReader extends Disposable {
  readonly answer: IncomingMessage;
  /** The next block with data. Undefined when the stream has ended. */
  next(): Promise<ReadEvent | undefined>;
}

export interface ReadEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Readonly<Record<string, unknown>> & { readonly from?: string; readonly to: string };
}

export async function readEvents(port: number, query = '', headers: Record<string, string> = {}): Promise<EventReader> {
  const request = http.get({ host: '127.0.0.1', port, path: `/v1/events${query}`, agent: false, headers });
  request.on('error', () => undefined);
  const answer = await new Promise<IncomingMessage>((resolve) => request.once('response', resolve));
  const blocks = blocksOf(answer);
  return {
    answer,
    async next() {
      for (;;) {
        const block = await blocks.next();
        if (block.done === true) return undefined;
        const { id, event, data } = block.value;
        if (data !== undefined) return { id, event, data: JSON.parse(data) as ReadEvent['data'] };
      }
    },
    [Symbol.dispose]: () => void request.destroy(),
  };
}

async function* blocksOf(answer: IncomingMessage): AsyncGenerator<Block, undefined, undefined> {
  let block: Record<string, string> = {};
  try {
    for await (const line of createInterface({ input: answer })) {
      if (line !== '') {
        const [name = '', ...value] = line.split(': ');
        block[name] = value.join(': ');
        continue;
      }
      yield block;
      block = {};
    }
  } catch {
    // cut off: ended as well
  }
  return undefined;
}
