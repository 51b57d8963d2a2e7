/**
 * Where each node's ingress is, with kept connections to it. A node's record is trusted for a moment, so that a hot call
 * costs no second look into the registry; a change of the node ends that trust at once. A wrong address does no harm: the
 * ingress behind it refuses an epoch that is not its own. A node on this machine is reached by a socket of the machine.
 */
import { connect } from 'node:net';
import { ConnectionPool } from '../../shared/http/connection-pool.ts';
import type { ForwardTarget } from '../../shared/http/exchange.ts';
import { ingressSocketOf } from '../../shared/http/ingress-contract.ts';
import { passMaker } from '../../shared/http/node-pass.ts';
import type { NodeStatus } from '../../shared/registry/records.ts';
import type { Registry } from '../../shared/registry/registry.ts';

export interface NodeTarget extends ForwardTarget {
  /** What the ingress lets us in for; undefined for a worker from before it asked. */
  pass(): string | undefined;
}

export interface NodeDirectory extends Disposable {
  /** Undefined for a node that nobody knows. */
  targetOf(nodeId: string): Promise<NodeTarget | undefined>;
  /** The next one who asks is told what the registry says. */
  forget(nodeId: string): void;
}

const trustMs = 1000;
/** Connections kept to one node while nobody uses them. */
const idleConnections = 64;
/** Below the ingress's own limit (worker/ingress/server.ts), so that it never closes one that we are about to use. */
const idleTimeoutMs = 45_000;
/** More addresses than a cluster has nodes: those of workers that are long gone are dropped, oldest first. */
const keptAddresses = 256;

export function createNodeDirectory(registry: Pick<Registry, 'getNode' | 'watch'>): NodeDirectory {
  const known = new Map<string, { readonly until: number; readonly node: Promise<NodeStatus | undefined> }>();
  const targets = new Map<string, NodeTarget & { readonly agent: ConnectionPool }>();
  /** By boots of nodes that are beside us; asked once for each. */
  const local = new Map<string, Promise<string | undefined>>();
  const feed = registry.watch((change) => {
    if (change.kind === 'node') known.delete(change.id);
  });
  const recordOf = (nodeId: string): Promise<NodeStatus | undefined> => {
    const entry = known.get(nodeId);
    if (entry !== undefined && entry.until > performance.now()) return entry.node;
    const node = registry.getNode(nodeId);
    known.set(nodeId, { until: performance.now() + trustMs, node });
    node.catch(() => known.delete(nodeId)); // a failure is not remembered
    return node;
  };
  const socketOf = (bootId: string): Promise<string | undefined> => {
    const before = local.get(bootId);
    if (before !== undefined) return before;
    const [oldest] = local.keys();
    if (local.size >= keptAddresses && oldest !== undefined) local.delete(oldest);
    const found = localSocket(ingressSocketOf(bootId));
    local.set(bootId, found);
    return found;
  };
  const targetAt = ({ ingressUrl: url, passKey }: NodeStatus, socketPath: string | undefined): NodeTarget => {
    const place = `${url} ${passKey ?? ''} ${socketPath ?? ''}`; // the next boot may get the same port
    const before = targets.get(place);
    if (before !== undefined) return before;
    for (const [oldest, { agent }] of targets) {
      if (targets.size < keptAddresses) break;
      agent.destroy();
      targets.delete(oldest);
    }
    const { hostname, port } = new URL(url);
    const agent = new ConnectionPool({ reuseWithinMs: idleTimeoutMs, idleTimeoutMs, maxIdle: idleConnections });
    const pass = passKey === undefined ? () => undefined : passMaker(passKey);
    const address = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
    const target = { ...address, ...(socketPath !== undefined && { socketPath }), agent, pass };
    targets.set(place, target);
    return target;
  };
  return {
    async targetOf(nodeId) {
      const node = await recordOf(nodeId);
      return node === undefined ? undefined : targetAt(node, await socketOf(node.bootId));
    },
    forget: (nodeId) => void known.delete(nodeId),
    [Symbol.dispose]() {
      feed[Symbol.dispose]();
      for (const { agent } of targets.values()) agent.destroy();
    },
  };
}

/** Nobody connects here for nothing: a socket that is there accepts in microseconds, however busy its process is. */
const localLimitMs = 1000;

/** The socket, if somebody listens there. */
function localSocket(socketPath: string): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({ path: socketPath, timeout: localLimitMs });
  const end = (found: string | undefined): void => {
    socket.destroy();
    resolve(found);
  };
  socket
    .once('connect', () => end(socketPath))
    .once('error', () => end(undefined))
    .once('timeout', () => end(undefined));
  return promise;
}
