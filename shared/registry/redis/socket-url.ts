/**
 * The URL of a Redis on this machine by its Unix socket: `redis+unix:///path/redis.sock`. A command there and back over it
 * costs both sides less than over TCP (docs/decisions/0039-redis-by-a-socket.md).
 */
const pattern = /^redis\+unix:\/\/(\/[^?#]+)$/;

/** The path of the socket, absolute; undefined for any other URL. */
export function parseSocketUrl(url: string): string | undefined {
  const encoded = pattern.exec(url)?.[1];
  if (encoded === undefined) return undefined;
  try {
    const path = decodeURIComponent(encoded);
    return path.includes('\0') ? undefined : path;
  } catch {
    return undefined;
  }
}

export const socketUrl = (path: string): string => `redis+unix://${path.split('/').map(encodeURIComponent).join('/')}`;
