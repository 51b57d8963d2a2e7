/**
 * What changed, as the scripts tell it: a channel for actors and operations, one for the beginnings of wakes, and one for
 * all else. A process subscribes to those that it listens to, on a connection that is made on first use.
 *
 * A message is not checked again: only our own scripts publish here. One that is no change is logged and dropped, and so is
 * the failure to subscribe; listeners look at intervals as well.
 */
import type { Logger } from '../../telemetry/logger.ts';
import type { Change, FleetChange } from '../records.ts';
import type { Registry } from '../registry.ts';
import { connectRedis, type RedisConnection } from './connection.ts';
import { redisKeys } from './keys.ts';

export interface ChangeFeed extends Pick<Registry, 'watch' | 'watchFleet' | 'watchWakes'> {
  close(): Promise<void>;
}

type Listener = (change: Change) => void;

export function changeFeed(url: string, log: Logger): ChangeFeed {
  const listeners = new Map<string, Set<Listener>>(); // by channel
  let subscriber: RedisConnection | undefined;
  const connect = (): RedisConnection => {
    const redis = connectRedis(url, log);
    redis.on('message', (channel: string, text: string) => deliver(listeners.get(channel) ?? [], text, log));
    return redis;
  };
  const failed = (error: unknown): void => log.warn({ err: error }, 'subscribe failed');
  const leave = (channel: string, own: Listener): void => {
    const left = listeners.get(channel);
    if (left?.delete(own) !== true || left.size > 0) return;
    listeners.delete(channel);
    subscriber?.unsubscribe(channel).catch(failed);
  };
  const listen = (channel: string, listener: Listener): Disposable => {
    const own: Listener = (change) => listener(change); // one that listens twice is told twice
    const others = listeners.get(channel);
    listeners.set(channel, (others ?? new Set()).add(own));
    subscriber ??= connect();
    if (others === undefined) subscriber.subscribe(channel).catch(failed);
    return { [Symbol.dispose]: () => leave(channel, own) };
  };
  return {
    watch(listener) {
      const both = new DisposableStack();
      both.use(listen(redisKeys.changes, listener));
      both.use(listen(redisKeys.actorChanges, listener));
      return both;
    },
    // Of that channel come no others.
    watchFleet: (listener) => listen(redisKeys.changes, (change) => listener(change as FleetChange)),
    watchWakes: (listener) => listen(redisKeys.wakeChanges, listener),
    close() {
      listeners.clear();
      subscriber?.disconnect();
      return Promise.resolve();
    },
  };
}

function deliver(listeners: Iterable<Listener>, text: string, log: Logger): void {
  const message = parse(text);
  if (message === undefined) {
    log.warn({ text }, 'unknown change message');
    return;
  }
  // An actor's change that ended an operation in the same step says so.
  const { ended } = message;
  for (const listener of listeners) {
    listener(message);
    if (ended !== undefined) listener({ kind: 'operation', ...ended });
  }
}

type Message = Change & { readonly ended?: { readonly id: string; readonly state: string } };

function parse(text: string): Message | undefined {
  try {
    const message = JSON.parse(text) as Partial<Message> | null;
    return typeof message?.kind === 'string' && typeof message.id === 'string' ? (message as Message) : undefined;
  } catch {
    return undefined;
  }
}
