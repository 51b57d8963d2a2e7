/**
 * Header lists as they stood on the wire: name, value, name, value, … Names keep their case and repeated headers stay
 * apart, which node's parsed objects lose; a proxy must pass both on.
 */

export type RawHeaders = readonly string[];

/**
 * Headers that belong to one connection (RFC 9110, 7.6.1), with those that old clients send. `trailer` is not here: it
 * announces fields that are passed on.
 */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

export const pairs = (headers: RawHeaders): [name: string, value: string][] =>
  Array.from({ length: headers.length >> 1 }, (_, index) => [headers[2 * index] ?? '', headers[2 * index + 1] ?? '']);

/** The headers whose lower-case name passes. */
export function filterHeaders(headers: RawHeaders, keep: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (const [name, value] of pairs(headers)) {
    if (keep(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

/** Without the headers of the connection they came on, those named in `Connection` included. */
export function endToEnd(headers: RawHeaders): string[] {
  const named = new Set<string>();
  for (const [name, value] of pairs(headers)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const option of value.split(',')) named.add(option.trim().toLowerCase());
  }
  // A sender may not take the message's own framing away by naming it in `Connection`.
  named.delete('content-length');
  named.delete('host');
  return filterHeaders(headers, (name) => !hopByHop.has(name) && !named.has(name));
}

export const hasHeader = (headers: RawHeaders, wanted: string): boolean =>
  pairs(headers).some(([name]) => name.toLowerCase() === wanted);
