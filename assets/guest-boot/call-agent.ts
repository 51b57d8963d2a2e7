/** One call of the guest agent as a promise. */
import type { CallOptions, ServiceError } from '@grpc/grpc-js';
import { Metadata } from '@grpc/grpc-js';

/** Above the agent's own limit for the longest call, Start. */
const callLimitMs = 45_000;

type UnaryMethod<Request, Reply> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, reply: Reply) => void,
) => unknown;

export function callAgent<Request, Reply>(method: UnaryMethod<Request, Reply>, request: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    method(request, new Metadata(), { deadline: Date.now() + callLimitMs }, (error, reply) =>
      error === null ? resolve(reply) : reject(error),
    );
  });
}
