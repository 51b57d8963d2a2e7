/**
 * The stream of state changes, which the scripts write in the same step as the change (scripts.ts). It is bounded, and a
 * Redis that is restarted or emptied may lose its end or all of it; a reader learns of either as a gap.
 */
import { z } from 'zod';
import { eventTypes, phasesSchema, type ActorEvent, type PlatformEvent } from '../records.ts';
import { streamStart, type EventPage, type EventRegistry } from '../registry.ts';
import { translated, type RedisConnection } from './connection.ts';
import { redisKeys } from './keys.ts';

/** Some hours of a busy platform, at a few hundred bytes each. Redis trims by blocks, so a few more may be there. */
export const eventsKept = 10_000;

const pageSize = 1000;
/** As long as the stream is kept, so that a page limit never hides an event. */
const maxPages = eventsKept / pageSize + 2;

type Entry = readonly [id: string, fields: readonly string[]];

export function eventRegistry(redis: RedisConnection): EventRegistry {
  return {
    readEvents: (after, limit) => readEvents(redis, after, limit),
    newestEvent: () => newestEvent(redis),
    recentEvents: (id, limit) => recentEvents(redis, id, limit),
  };
}

/** Reads from the place itself on: whether it is still there is what tells a gap, in the same command. */
async function readEvents(redis: RedisConnection, after: string, limit: number): Promise<EventPage> {
  const entries = await translated(redis.xrange(redisKeys.events, after, '+', 'COUNT', limit + 1));
  const isThere = entries[0]?.[0] === after;
  const found = isThere ? entries.slice(1) : entries.slice(0, limit);
  const gap = !isThere && after !== streamStart;
  const events = found.map(eventOf).filter((event) => event !== undefined);
  return { events, next: found.at(-1)?.[0] ?? (gap ? await newestEvent(redis) : after), gap };
}

async function newestEvent(redis: RedisConnection): Promise<string> {
  const [newest] = await translated(redis.xrevrange(redisKeys.events, '+', '-', 'COUNT', 1));
  return newest?.[0] ?? streamStart;
}

async function recentEvents(redis: RedisConnection, id: string, limit: number): Promise<ActorEvent[]> {
  const events: ActorEvent[] = [];
  let before = '+';
  for (let page = 0; page < maxPages && events.length < limit; page++) {
    const entries = await translated(redis.xrevrange(redisKeys.events, before, '-', 'COUNT', pageSize));
    for (const entry of entries) {
      const event = eventOf(entry);
      if (event?.type === 'actor' && event.subject === id) events.push(actorEventOf(event));
    }
    const last = entries.at(-1);
    if (last === undefined || entries.length < pageSize) break;
    before = `(${last[0]}`;
  }
  return events.slice(0, limit).reverse();
}

const actorEventOf = ({ at, to, epoch, node, cause }: PlatformEvent): ActorEvent => ({
  at,
  state: to,
  ...(epoch !== undefined && { epoch }),
  ...(node !== undefined && { node }),
  reason: cause,
});

const text = z
  .string()
  .optional()
  .transform((value) => value || undefined); // an empty field stands for nothing
const json = <Schema extends z.ZodType>(schema: Schema) =>
  text.transform((value) => (value === undefined ? undefined : (JSON.parse(value) as unknown))).pipe(schema.optional());

const entrySchema = z.object({
  type: z.enum(eventTypes),
  id: z.string(),
  from: text,
  to: z.string(),
  cause: json(z.string()),
  epoch: text,
  node: text,
  generation: json(z.number().int()),
  phases: json(phasesSchema),
});

/** Undefined for an entry of a version that wrote them differently. An entry's id begins with its time in milliseconds. */
function eventOf([entryId, fields]: Entry): PlatformEvent | undefined {
  const values: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2) values[fields[index] ?? ''] = fields[index + 1] ?? '';
  const parsed = entrySchema.safeParse(values);
  if (!parsed.success) return undefined;
  const { type, id: subject, from, to, cause = '', epoch, node, generation, phases } = parsed.data;
  const at = new Date(Number(entryId.split('-')[0])).toISOString();
  return { id: entryId, at, type, subject, from, to, cause, epoch, node, generation, phases };
}
