/**
 * How the api and a NodeService connect. Who calls is told by each call's pass, as at the ingress (shared/http/node-pass.ts);
 * the connection itself is neither encrypted nor does it prove who listens: that is left to the network (docs/security.md).
 */
import { credentials, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';

export const clientCredentials = (): ChannelCredentials => credentials.createInsecure();

export const serverCredentials = (): ServerCredentials => ServerCredentials.createInsecure();
