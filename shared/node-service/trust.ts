/**
 * Who may call a NodeService, and how a caller knows that it speaks to one: the one place that decides both. As with the
 * ingress, for now it is the network that keeps strangers out: workers and apis share one that nobody else reaches.
 */
import { credentials, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';

export const clientCredentials = (): ChannelCredentials => credentials.createInsecure();

export const serverCredentials = (): ServerCredentials => ServerCredentials.createInsecure();
