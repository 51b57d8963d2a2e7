/** The stream of every actor's changes, read backwards for one of them. */
import type { ActorEvent } from '../records.ts';
import { translated, type RedisConnection } from './connection.ts';
import { redisKeys } from './keys.ts';

const pageSize = 1000;
/** As long as the stream is kept (scripts.ts), so that a page limit never hides an event. */
const maxPages = 12;

export async function recentEvents(redis: RedisConnection, id: string, limit: number): Promise<ActorEvent[]> {
  const events: ActorEvent[] = [];
  let before = '+';
  for (let page = 0; page < maxPages && events.length < limit; page++) {
    const entries = await translated(redis.xrevrange(redisKeys.events, before, '-', 'COUNT', pageSize));
    for (const [entryId, fields] of entries) {
      const event = eventOf(entryId, fields, id);
      if (event !== undefined) events.push(event);
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < pageSize) break;
    before = `(${last[0]}`;
  }
  return events.slice(0, limit).reverse();
}

/** Undefined for an event of another actor. A stream entry's id begins with its time in milliseconds. */
function eventOf(entryId: string, fields: readonly string[], wanted: string): ActorEvent | undefined {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < fields.length; index += 2) values.set(fields[index] ?? '', fields[index + 1] ?? '');
  if (values.get('actor') !== wanted) return undefined;
  const epoch = values.get('epoch') ?? '';
  const node = values.get('node') ?? '';
  return {
    at: new Date(Number(entryId.split('-')[0])).toISOString(),
    state: values.get('state') ?? '',
    ...(epoch !== '' && { epoch }),
    ...(node !== '' && { node }),
    reason: String(JSON.parse(values.get('reason') ?? '""')),
  };
}
