/**
 * Header lists as they stood on the wire: name, value, name, value, … Names keep their case and repeated headers stay
 * apart, which node's parsed objects lose; a proxy must pass both on.
 *
 * Every call passes through here several times, so lists are walked by index: no array is made for a pair.
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
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (keep(name.toLowerCase())) kept.push(name, headers[index + 1] ?? '');
  }
  return kept;
}

/** Without the headers of the connection they came on, those named in `Connection` included. */
export function endToEnd(headers: RawHeaders, keep: (name: string) => boolean = () => true): string[] {
  const named = namedInConnection(headers);
  return filterHeaders(headers, (name) => !hopByHop.has(name) && named?.has(name) !== true && keep(name));
}

/** Undefined when nothing but the usual stands there. */
function namedInConnection(headers: RawHeaders): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name.length !== 'connection'.length || name.toLowerCase() !== 'connection') continue;
    for (const option of (headers[index + 1] ?? '').split(',')) {
      const word = option.trim().toLowerCase();
      if (word !== 'keep-alive' && word !== 'close') (named ??= new Set()).add(word);
    }
  }
  // A sender may not take the message's own framing away by naming it in `Connection`.
  named?.delete('content-length');
  named?.delete('host');
  return named;
}

export function hasHeader(headers: RawHeaders, wanted: string): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name.length === wanted.length && name.toLowerCase() === wanted) return true;
  }
  return false;
}
