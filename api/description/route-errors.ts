/**
 * Which error codes each route answers with by its own doing, for the reference. What any route may answer, and any that wakes
 * an actor, stands once, in the head of the reference. A route that is not here fails the generation.
 */
import type { ErrorCode } from '../../shared/errors/codes.ts';

/** Of whatever wakes an actor and waits for it. */
export const wakingErrors: readonly ErrorCode[] = [
  ...(['actor-not-found', 'actor-asleep', 'actor-failed', 'actor-deleted', 'too-many-pending'] as const),
  ...(['too-many-parked', 'no-capacity', 'incompatible', 'wake-timeout', 'actor-unreachable'] as const),
];
const files: readonly ErrorCode[] = ['container-not-found', 'file-not-found', 'file-not-usable', 'session-ended'];

const codes: Readonly<Record<string, readonly ErrorCode[]>> = {
  'get /errors/{code}': ['route-not-found'],
  'get /healthz': [],
  'get /readyz': [],
  'get /metrics': [],
  'get /v1/templates': [],
  'post /v1/templates': ['template-conflict', 'state-conflict'],
  'get /v1/templates/{name}': ['template-not-found'],
  'delete /v1/templates/{name}': ['template-not-found', 'template-in-use', 'template-not-ready'],
  'get /v1/actors': [],
  'post /v1/actors': ['actor-exists', 'template-not-found', 'template-not-ready', 'template-failed'],
  'get /v1/actors/{id}': ['actor-not-found'],
  'delete /v1/actors/{id}': ['actor-not-found', 'state-conflict'],
  'get /v1/actors/{id}/wait': ['actor-not-found', 'wait-timeout'],
  'get /v1/actors/{id}/explain': ['actor-not-found'],
  'get /v1/actors/{id}/generations': ['actor-not-found'],
  'post /v1/actors/{id}/suspend': ['actor-not-found', 'state-conflict'],
  'post /v1/actors/{id}/pause': ['actor-not-found', 'state-conflict'],
  'post /v1/actors/{id}/resume': [
    ...(['actor-not-found', 'state-conflict', 'node-not-found', 'no-capacity'] as const),
    ...(['too-many-parked', 'incompatible'] as const),
  ],
  'post /v1/actors/{id}/exec': ['container-not-found', 'exec-failed', 'exec-timeout', 'session-ended'],
  'get /v1/actors/{id}/files': files,
  'put /v1/actors/{id}/files': [...files, 'no-space'],
  'get /v1/actors/{id}/logs': ['actor-not-found'],
  'get /v1/operations/{id}': ['operation-not-found'],
  'get /v1/nodes': [],
  'post /v1/nodes/{id}/drain': ['node-not-found'],
  'post /v1/nodes/{id}/undrain': ['node-not-found'],
  'get /v1/events': [],
  'get /v1/webhooks': [],
  'post /v1/webhooks': ['too-many-webhooks'],
  'get /v1/webhooks/{id}': ['webhook-not-found'],
  'delete /v1/webhooks/{id}': ['webhook-not-found'],
  'post /v1/webhooks/{id}/enable': ['webhook-not-found'],
  'post /v1/webhooks/{id}/test': ['webhook-not-found'],
  'get /v1/tokens': [],
  'post /v1/tokens': [],
  'delete /v1/tokens/{id}': ['token-not-found'],
  'post /v1/admin/rebuild': [],
};

/** Method and path of each. */
export const routesWithErrors: readonly string[] = Object.keys(codes);

export const isInvocation = (path: string): boolean => path.startsWith('/v1/actors/{id}/invoke/');

/** Whether it may answer as whatever wakes an actor does, beside its own codes. */
export const wakes = (path: string): boolean => isInvocation(path) || /\/(exec|files)$/.test(path);

/** @param path As the description has it, `/v1/actors/{id}`. */
export function errorCodesOf(method: string, path: string): readonly ErrorCode[] {
  if (isInvocation(path)) return [];
  const found = codes[`${method} ${path}`];
  if (found === undefined) throw new Error(`nobody says which errors ${method} ${path} answers with`);
  return found;
}
