/**
 * What the api and a worker's NodeService (shared/proto/node.proto) say to each other besides the messages: who calls, which
 * activation a call is for, why it is refused, and which error it ended with. As at the ingress, a refusal comes before any message
 * of the call is read, so that the api can look again; the answer's first metadata say that the activation is pinned.
 */
import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { isErrorCode } from '../errors/codes.ts';
import { DormouseError, toDormouseError } from '../errors/dormouse-error.ts';
import { ingressHeaders, refusalReasons, type RefusalReason } from '../http/ingress-contract.ts';

/** In the metadata that end a call: a code of the error table. The guest agent sets it as well. */
const codeKey = 'dormouse-code';

export interface CallAddress {
  /** That an api calls (shared/http/node-pass.ts). */
  readonly pass: string | undefined;
  readonly actorId: string;
  readonly epoch: string;
}

export function metadataOf({ pass, actorId, epoch }: CallAddress): Metadata {
  const metadata = new Metadata();
  if (pass !== undefined) metadata.set(ingressHeaders.pass, pass);
  metadata.set(ingressHeaders.actor, actorId);
  metadata.set(ingressHeaders.epoch, epoch);
  return metadata;
}

export const addressIn = (metadata: Metadata): Partial<CallAddress> => ({
  ...textIn(metadata, ingressHeaders.pass, 'pass'),
  ...textIn(metadata, ingressHeaders.actor, 'actorId'),
  ...textIn(metadata, ingressHeaders.epoch, 'epoch'),
});

function textIn(metadata: Metadata, key: string, name: keyof CallAddress): Partial<CallAddress> {
  const [value] = metadata.get(key);
  return typeof value === 'string' ? { [name]: value } : {};
}

/** How a call ends that was not let in. */
export function refusalStatus(reason: RefusalReason): Partial<StatusObject> {
  const metadata = new Metadata();
  metadata.set(ingressHeaders.refusal, reason);
  const code = reason === 'unknown-caller' ? status.UNAUTHENTICATED : status.FAILED_PRECONDITION;
  return { code, details: `refused: ${reason}`, metadata };
}

/** A stream also fails without a status: with what it was told after its end. */
export function refusalIn(error: unknown): RefusalReason | undefined {
  if (!isServiceError(error)) return undefined;
  const [value] = error.metadata.get(ingressHeaders.refusal);
  return refusalReasons.find((reason) => reason === value);
}

export function statusOf({ code, message }: DormouseError): Partial<StatusObject> {
  const metadata = new Metadata();
  metadata.set(codeKey, code);
  return { code: status.ABORTED, details: message, metadata };
}

/** A call's failure as an error of ours; of a connection that broke nobody knows what was done. */
export function errorIn(error: unknown): DormouseError {
  if (!isServiceError(error)) return toDormouseError(error);
  const [code] = error.metadata.get(codeKey);
  const facts = { cause: error };
  if (typeof code === 'string' && isErrorCode(code)) return new DormouseError(code, error.details, facts);
  if (error.code === status.UNAVAILABLE || error.code === status.CANCELLED) {
    return new DormouseError('actor-unreachable', `the connection to the actor broke: ${error.details}`, facts);
  }
  return new DormouseError('internal', `the node or the guest failed: ${error.details}`, facts);
}

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'metadata' in error && error.metadata instanceof Metadata;
