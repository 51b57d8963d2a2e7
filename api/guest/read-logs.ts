/**
 * An actor's log as one stream, whatever it does meanwhile: what the store keeps, then what its node has, and for one who
 * follows the next activation's lines when it wakes, there or elsewhere. Each line comes once (shared/logs/line.ts): what a
 * node did not get to say is in the memory that the next activation begins with, and so are lines said before.
 */
import { createSieve, type Cursor, type LogLine } from '../../shared/logs/line.ts';
import { metadataOf, refusalIn } from '../../shared/node-service/contract.ts';
import type { LogsReply } from '../../shared/proto/gen/agent.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import { keptLines } from './kept-lines.ts';
import type { GuestParts } from './open-session.ts';

export interface LogQuery {
  readonly id: string;
  readonly follow: boolean;
  /** Only lines after these. */
  readonly after?: Cursor;
  readonly signal: AbortSignal;
}

/** In pieces: the first has all that there is. Ends when the actor is gone, or with the first piece. */
export async function* readLogs(parts: GuestParts, first: ActorRecord, query: LogQuery): AsyncGenerator<LogLine[]> {
  const { id, follow, signal, after } = query;
  const sieve = createSieve(after);
  using watching = parts.watch.open(id);
  const past = sieve(await keptLines(parts, first, signal));
  let record = await parts.registry.getActor(id);
  if (record?.uid === first.uid) {
    for await (const lines of linesOfNode(parts, record, false, signal)) past.push(...sieve(lines));
  }
  yield past;
  while (follow && record?.uid === first.uid && record.state !== 'deleting') {
    for await (const lines of linesOfNode(parts, record, true, signal)) yield sieve(lines);
    record = await watching.next(signal); // at the latest in half a second, so a node is not asked in a tight loop
  }
}

/** Nothing of an actor that no node has; ends when the activation does, or its node. */
async function* linesOfNode(
  parts: GuestParts,
  { id, node, epoch, state }: ActorRecord,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<readonly LogLine[]> {
  const isThere = state === 'running' || state === 'suspending' || state === 'pausing';
  if (!isThere || node === undefined || epoch === undefined) return;
  const client = await parts.nodeClients.clientOf(node);
  const pass = (await parts.nodes.targetOf(node))?.pass();
  const stream = client?.logs({ follow }, metadataOf({ pass, actorId: id, epoch }));
  if (stream === undefined) return;
  const stop = (): void => stream.cancel();
  signal.addEventListener('abort', stop);
  try {
    for await (const reply of stream) yield (reply as LogsReply).lines;
  } catch (error) {
    signal.throwIfAborted();
    const refusal = refusalIn(error);
    parts.log.debug({ actorId: id, epoch, refusal, err: error }, 'a log stream ended early');
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
  }
}
