/** `Prefer: wait=N` (RFC 7240): how long a caller would rather wait than come back. */

/** Longer than any job of an actor takes; a connection that says nothing for longer is cut by somebody on the way. */
const longestWaitSeconds = 180;

/** Milliseconds to wait, or undefined when the caller did not ask. */
export function preferredWaitMs(header: string | readonly string[] | undefined): number | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  const match = /(?:^|[,;])\s*wait\s*=\s*"?([0-9]{1,6})"?\s*(?:$|[,;])/i.exec(text);
  return match?.[1] === undefined ? undefined : Math.min(Number(match[1]), longestWaitSeconds) * 1000;
}
