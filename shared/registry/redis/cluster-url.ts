/**
 * The URL of a Redis Cluster: `redis+cluster://user:password@host:port,host:port`, or `rediss+cluster://` with TLS. Any of
 * the addresses that answers tells where the others are.
 */
export interface ClusterUrl {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
}

const pattern = /^redis(s?)\+cluster:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/]+)\/?$/;
const address = /^(\[[0-9a-fA-F:]+\]|[^:[\]]+):(\d{1,5})$/;

/** Undefined for anything else. */
export function parseClusterUrl(url: string): ClusterUrl | undefined {
  const match = pattern.exec(url);
  if (match === null) return undefined;
  const [, tls = '', username = '', password = '', list = ''] = match;
  const nodes = list.split(',').map((text) => address.exec(text));
  if (nodes.some((node) => node === null || Number(node[2]) > 65_535)) return undefined;
  return {
    nodes: nodes.map((node) => ({ host: (node?.[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(node?.[2]) })),
    ...(username !== '' && { username: decoded(username) }),
    ...(password !== '' && { password: decoded(password) }),
    tls: tls !== '',
  };
}

/** A lone percent sign stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
