/**
 * The one table of error codes: the HTTP status each answers with, whether the same request can succeed later, a title
 * for people, and the next step for the reader. docs/errors.md is kept equal to it by errors.test.ts.
 */

export interface ErrorCodeFacts {
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
  readonly nextStep: string;
}

const code = (status: number, retryable: boolean, title: string, nextStep: string): ErrorCodeFacts => ({
  status,
  retryable,
  title,
  nextStep,
});

export const errorCodes = {
  // what the caller sent
  'invalid-input': code(
    400,
    false,
    'The request is not valid',
    'Correct the fields listed in `errors` and send it again.',
  ),
  'route-not-found': code(404, false, 'No such route', 'See /openapi.json for what this API answers.'),
  unauthorized: code(401, false, 'A valid bearer token is required', 'Send `Authorization: Bearer <token>`.'),
  forbidden: code(403, false, 'The token does not allow this', 'Use a token that has the scope named in `detail`.'),
  'rate-limited': code(
    429,
    true,
    'Too many calls with this token',
    'Wait for `Retry-After`, or ask for a higher limit.',
  ),
  'token-not-found': code(404, false, 'No such token', 'List tokens with GET /v1/tokens.'),
  'payload-too-large': code(413, false, 'The request body is too large', 'Send a smaller body.'),
  'unsupported-media-type': code(415, false, 'The body is not JSON', 'Send `Content-Type: application/json`.'),
  'idempotency-key-reused': code(
    422,
    false,
    'This Idempotency-Key was used with another body',
    'Use a new key for a new request.',
  ),
  // templates
  'template-not-found': code(404, false, 'No such template', 'List templates with GET /v1/templates.'),
  'template-conflict': code(
    409,
    false,
    'A template of this name has another specification',
    'Templates are immutable: use a new name, or delete the old one first.',
  ),
  'template-not-ready': code(409, true, 'The template is still being prepared', 'Wait until its state is `ready`.'),
  'template-failed': code(
    409,
    false,
    'The template could not be prepared',
    'Read its `error`, correct the specification, delete it and apply it again.',
  ),
  'template-in-use': code(409, false, 'Actors still use the template', 'Delete its actors first.'),
  'image-unavailable': code(
    422,
    false,
    'An image could not be fetched',
    'Check the image reference and that the node can reach it.',
  ),
  'image-invalid': code(
    422,
    false,
    'An image could not be unpacked',
    'Check that the image is a valid OCI image for this architecture.',
  ),
  'container-exited': code(
    422,
    false,
    'A container exited before it became ready',
    'Read the container log in `details`.',
  ),
  'container-start-failed': code(
    422,
    false,
    'A container could not be started',
    'Read the reason and the guest state in `details`.',
  ),
  'probe-failed': code(
    422,
    false,
    'A readiness probe did not pass in time',
    'Check the probe, the port, and the container log in `details`.',
  ),
  'warm-up-failed': code(
    422,
    false,
    'A warm-up call was not answered as it must be',
    'Try the path named in `details` on the program itself, and correct it or `warmUp`.',
  ),
  // actors
  'actor-not-found': code(404, false, 'No such actor', 'List actors with GET /v1/actors.'),
  'actor-exists': code(409, false, 'An actor of this id exists', 'Choose another id, or use the one that is there.'),
  'actor-asleep': code(
    409,
    true,
    'The actor is asleep and this request may not wake it',
    'Send the request without `Dormouse-Wake: never`.',
  ),
  'actor-failed': code(
    409,
    false,
    'The actor could not be resumed',
    'Mend the cause in `lastError`, then POST /v1/actors/{id}/resume.',
  ),
  'actor-deleted': code(410, false, 'The actor was deleted', 'Create it again.'),
  'state-conflict': code(
    409,
    true,
    'The actor is in a state that does not allow this',
    'Wait for the state to change and try again.',
  ),
  'epoch-stale': code(409, true, 'This activation of the actor is over', 'Look the actor up again.'),
  'too-many-pending': code(429, true, 'Too many requests wait for this actor to wake', 'Try again later.'),
  'too-many-parked': code(429, true, 'Too many requests wait for room on a node', 'Try again later, or add a node.'),
  'no-capacity': code(503, true, 'No node has room', 'Try again later, or add a node.'),
  'node-not-found': code(404, false, 'No such node', 'List nodes with GET /v1/nodes.'),
  'namespace-not-found': code(404, false, 'No such namespace', 'Leave it out, or use a token of that namespace.'),
  'webhook-not-found': code(404, false, 'No such webhook', 'List webhooks with GET /v1/webhooks.'),
  'too-many-webhooks': code(409, false, 'There are as many webhooks as there may be', 'Delete one first.'),
  'wake-timeout': code(504, true, 'The actor did not wake in time', 'Try again; look at the last error of the actor.'),
  'wait-timeout': code(408, true, 'The state was not reached in time', 'Ask again.'),
  'actor-unreachable': code(
    502,
    true,
    'The actor ended the connection before it answered',
    'Try again; look at the log of the actor.',
  ),
  // inside an actor
  'container-not-found': code(404, false, 'The actor has no such container', 'See the containers of its template.'),
  'exec-failed': code(422, false, 'The program could not be started', 'Read the reason in `detail`.'),
  'exec-timeout': code(
    504,
    false,
    'The program did not end in time and was ended',
    'Give it a longer `timeoutMs`, or run it over the WebSocket.',
  ),
  'file-not-found': code(404, false, 'No such file in the container', 'Look at the path from inside the container.'),
  'file-not-usable': code(
    409,
    false,
    'The path is not a file or folder that can be read or written',
    'Read the reason in `detail`.',
  ),
  'no-space': code(
    507,
    false,
    'The container has no space left',
    'Remove files, or give the container more `upperMiB`.',
  ),
  'session-ended': code(
    409,
    true,
    'The actor was put to sleep while this lasted',
    'Begin again: that wakes it. A suspend waits for it no longer than DORMOUSE_DRAIN_MS.',
  ),
  'operation-not-found': code(404, false, 'No such operation', 'Operations are kept for a day.'),
  // snapshots
  'snapshot-corrupt': code(
    409,
    false,
    'A snapshot object is damaged',
    'Restore the named object from a backup, then resume again.',
  ),
  'snapshot-missing': code(
    409,
    false,
    'A snapshot object is missing',
    'Restore the named object from a backup, then resume again.',
  ),
  'snapshot-unsupported': code(
    409,
    false,
    'The snapshot has a format this version does not know',
    'Run the version that wrote it, or a newer one.',
  ),
  'encryption-key-missing': code(
    409,
    false,
    'The key that a snapshot is encrypted with is not configured',
    'Add the key named in `details` to DORMOUSE_ENCRYPTION_KEYS of the nodes, then resume again.',
  ),
  'encryption-key-wrong': code(
    409,
    false,
    'The configured key is not the one a snapshot is encrypted with',
    'Give the key named in `details` its former value in DORMOUSE_ENCRYPTION_KEYS, then resume again.',
  ),
  'lower-mismatch': code(
    409,
    false,
    'The image on this node differs from the one the snapshot was taken on',
    'Restore the image on the node named in `details`, or resume on another node.',
  ),
  incompatible: code(
    409,
    false,
    'The node cannot load this snapshot',
    'Resume on a node with the asset set named in `details`.',
  ),
  'commit-lost': code(
    409,
    false,
    'Another activation committed first',
    'Nothing: the other activation holds the actor.',
  ),
  // stores
  'store-object-missing': code(500, false, 'An object is missing in the store', 'Check the store.'),
  'store-object-too-large': code(500, false, 'An object is larger than it may be', 'Check what wrote the object.'),
  'store-unavailable': code(503, true, 'The object store does not answer', 'Check the store and DORMOUSE_STORE.'),
  'store-denied': code(503, false, 'The object store refuses our credentials', 'Check the credentials of the store.'),
  'store-misconfigured': code(
    503,
    false,
    'The object store is not set up as configured',
    'Check DORMOUSE_STORE: scheme, bucket, endpoint.',
  ),
  'registry-unavailable': code(
    503,
    true,
    'Redis does not answer, or is being rebuilt from the store',
    'Try again; check Redis and DORMOUSE_REDIS_URL.',
  ),
  // node
  'asset-invalid': code(500, false, 'The asset set is incomplete or damaged', 'Run `npm run assets -- assemble`.'),
  'assets-unavailable': code(
    503,
    true,
    'Parts of the asset set could not be fetched',
    'Check that this machine reaches its Debian mirror, then run `npm run assets -- assemble`.',
  ),
  'vmm-failed': code(500, true, 'The virtual machine monitor failed', 'Read `details`; look at the log of the node.'),
  'guest-unreachable': code(
    500,
    true,
    'The guest agent does not answer',
    'Read `details`; look at the log of the node.',
  ),
  'network-failed': code(
    500,
    true,
    'The network of a VM could not be set up',
    'Run as root with tap devices and nftables available.',
  ),
  'disk-full': code(
    503,
    true,
    'A disk of the node is full',
    'Make room below DORMOUSE_HOME, or try again: another node may have some.',
  ),
  'precondition-missing': code(
    500,
    false,
    'This machine lacks something Dormouse needs',
    'Follow the advice in the message.',
  ),
  'invalid-configuration': code(
    500,
    false,
    'The configuration is not valid',
    'Correct the named environment variables.',
  ),
  'shutting-down': code(503, true, 'This process is stopping', 'Try again; another process will answer.'),
  'deadline-exceeded': code(
    504,
    true,
    'A step took longer than it may',
    'Try again; look at the phases of the operation.',
  ),
  internal: code(500, false, 'Something went wrong inside Dormouse', 'Report it with the request id and the log.'),
} as const satisfies Record<string, ErrorCodeFacts>;

export type ErrorCode = keyof typeof errorCodes;

export const isErrorCode = (value: string): value is ErrorCode => Object.hasOwn(errorCodes, value);
