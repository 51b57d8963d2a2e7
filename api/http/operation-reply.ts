/** Answers with an operation: 202 and where to ask, or, when the caller would rather wait, 200 when it is done. */
import type { FastifyReply } from 'fastify';
import type { Operation } from '../../shared/registry/records.ts';
import type { RouteParts } from '../app.ts';
import { awaitOperation } from '../scheduler/await-operation.ts';
import { isOver, requireDone } from '../scheduler/operations.ts';
import { viewOfOperation, type OperationView } from '../schemas/operation.ts';
import { clientSignal } from './client-signal.ts';

/** Throws the operation's own error when it failed while the caller waited. */
export async function replyWithOperation(
  parts: RouteParts,
  reply: FastifyReply,
  operation: Operation,
  waitMs: number | undefined,
): Promise<OperationView> {
  void reply.header('location', `/v1/operations/${operation.id}`);
  let current = operation;
  if (waitMs !== undefined) {
    void reply.header('preference-applied', `wait=${waitMs / 1000}`);
    current = await awaitOperation(parts.registry, operation, clientSignal(reply, waitMs, parts.stopping));
    requireDone(current);
  }
  void reply.code(isOver(current) && waitMs !== undefined ? 200 : 202);
  return viewOfOperation(current);
}
