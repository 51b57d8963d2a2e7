/** Names a node's namespaces and interfaces: the same after a restart, different for any other node or home of the machine. */
import { createHash } from 'node:crypto';

export const networkOwner = (home: string, nodeId: string): string =>
  createHash('sha256').update(`${home}\0${nodeId}`).digest('hex').slice(0, 8);
