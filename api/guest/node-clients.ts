/**
 * gRPC channels to the nodes' NodeServices, one per address, opened on first use. An address that is not the node's any
 * more does no harm: who answers there refuses an epoch that is not its own.
 */
import type { Registry } from '../../shared/registry/registry.ts';
import { clientCredentials } from '../../shared/node-service/trust.ts';
import { NodeServiceClient } from '../../shared/proto/gen/node.ts';

export interface NodeClients extends Disposable {
  /** Undefined for a node that nobody knows, or that has no such service. */
  clientOf(nodeId: string): Promise<NodeServiceClient | undefined>;
}

/** More addresses than a cluster has nodes: those of workers that are long gone are dropped, oldest first. */
const keptAddresses = 256;
/** Everything that is sent is cut into small messages; this is for several log lines of 8 KiB. */
const maxMessageBytes = 8 * 1024 * 1024;

export function createNodeClients(registry: Pick<Registry, 'getNode'>): NodeClients {
  const clients = new Map<string, NodeServiceClient>();
  const drop = (url: string, client: NodeServiceClient): void => {
    clients.delete(url);
    client.close();
  };
  return {
    async clientOf(nodeId) {
      const url = (await registry.getNode(nodeId))?.nodeServiceUrl;
      if (url === undefined) return undefined;
      const before = clients.get(url);
      if (before !== undefined) return before;
      for (const [oldest, client] of clients) {
        if (clients.size < keptAddresses) break;
        drop(oldest, client);
      }
      const client = connect(url);
      clients.set(url, client);
      return client;
    },
    [Symbol.dispose]() {
      for (const [url, client] of clients) drop(url, client);
    },
  };
}

const connect = (url: string): NodeServiceClient =>
  new NodeServiceClient(new URL(url).host, clientCredentials(), {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.enable_http_proxy': 0,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
  });
