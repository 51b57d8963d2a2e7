/**
 * The resume job: from a claimed actor to a running one.
 *
 *   read what is durable → check images and compatibility → restore (or boot) → tell the guest who it is → open the door
 *   → registry: resuming to running, fenced by the epoch
 *
 * Whatever fails before the last step disposes the sandbox and leads the actor out of `resuming`: to `failed` when the
 * same attempt cannot succeed (damage, mismatch), to `suspended` when it can (time-outs, no answer).
 */
import { Agent } from 'node:http';
import { DormouseError, serializeError, toDormouseError } from '../../shared/errors/dormouse-error.ts';
import type { JobOf } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, StartKind } from '../../shared/registry/records.ts';
import type { SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import { requireCompatible } from '../../shared/snapshot/manifest.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { Activation } from '../activation/activation.ts';
import { createGate } from '../ingress/gate.ts';
import type { NodeContext } from '../node-context.ts';
import { createPhaseClock, type PhaseClock } from '../sandbox/phase-clock.ts';
import type { Sandbox, SandboxSpec } from '../sandbox/sandbox.ts';
import { durableState, type DurableState } from '../snapshot/durable-state.ts';
import { fetchPart } from '../snapshot/fetch-part.ts';
import type { LocalGolden } from '../snapshot/golden-cache.ts';
import { loseActivation } from './lose-activation.ts';
import { openImages, requireLowers } from './open-images.ts';
import { containerStarts, sandboxSpec, startLimitMs, type ImagesByContainer } from './start-containers.ts';
import { createTransferFolder } from './transfer-folder.ts';

/** Connections an actor is offered at once; more requests than that wait inside the ingress. */
const maxConnectionsPerActor = 256;

export async function resumeActor(
  context: NodeContext,
  job: JobOf<'resume'>,
  signal: AbortSignal,
): Promise<PhaseClock['phases']> {
  const clock = createPhaseClock();
  clock.record('queue', Math.max(0, Date.now() - Date.parse(job.requestedAt)));
  const [record, mayActivate] = await Promise.all([
    context.registry.getActor(job.actorId),
    context.registry.mayActivate(job.epoch), // a queue that came back from an older copy of Redis may order the past
  ]);
  if (record?.state !== 'resuming' || record.epoch !== job.epoch || !mayActivate) {
    throw new DormouseError('epoch-stale', `actor ${job.actorId} is no longer being resumed at epoch ${job.epoch}`);
  }
  try {
    await activate(context, record, job.epoch, clock, signal);
    return clock.phases;
  } catch (cause) {
    await leaveResuming(context, record, job.epoch, cause);
    throw cause;
  }
}

async function activate(
  context: NodeContext,
  record: ActorRecord,
  epoch: string,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<void> {
  const template = await descriptorOf(context, record);
  const head = await clock.measure('fetch', () => durableState(context.store, record, epoch, signal));
  const manifest = head.snapshot?.manifest ?? template.golden;
  requireCompatible(manifest.runtime, context.sandboxes.runtime);
  const images = await clock.measure('images', () => openImages(context, template, signal));
  requireLowers(manifest.lowers, images, context.nodeId);
  const kind: StartKind = record.coldStart && head.snapshot === undefined ? 'cold' : 'warm';
  // A snapshot without a base carries all of its memory; generation 0 is the golden itself.
  const needsGolden = head.snapshot === undefined || manifest.base !== undefined;
  const golden =
    kind === 'warm' && needsGolden
      ? await clock.measure('fetch', () => context.goldens.get(template.golden))
      : undefined;
  const identity = {
    id: record.id,
    uid: record.uid,
    template: record.template,
    revision: record.revision,
    epoch,
    generation: head.generation,
    node: context.nodeId,
  };
  const spec = sandboxSpec(record.id, template.spec, images, context.images);
  const sandbox =
    kind === 'cold'
      ? await context.sandboxes.boot(spec, clock, signal)
      : await restore(context, spec, head.snapshot, golden, template, clock, signal);
  const activation: Activation = {
    identity,
    epoch,
    template,
    sandbox,
    gate: createGate(),
    connections: new Agent({ keepAlive: true, maxSockets: maxConnectionsPerActor }),
    base: golden && { path: golden.memoryPath, sha256: golden.sha256 },
    quietUntil: 0,
  };
  try {
    await clock.measure('guest', () => sandbox.wake(identity, signal));
    if (kind === 'cold') await clock.measure('containers', () => startContainers(sandbox, template, images, signal));
    context.activations.add(activation);
    await announceRunning(context, record, activation, kind, head, clock);
    void sandbox.exited.then((words) => loseActivation(context, activation, words));
  } catch (cause) {
    context.activations.remove(activation);
    activation.connections.destroy();
    await sandbox[Symbol.asyncDispose]();
    throw cause;
  }
}

async function startContainers(
  sandbox: Sandbox,
  template: TemplateDescriptor,
  images: ImagesByContainer,
  signal: AbortSignal,
): Promise<void> {
  await sandbox.start(await containerStarts(template.spec, images), startLimitMs, signal);
}

async function descriptorOf(context: NodeContext, record: ActorRecord): Promise<TemplateDescriptor> {
  const template = await context.registry.getTemplate(record.template);
  if (template?.descriptor === undefined || template.revision !== record.revision) {
    throw new DormouseError(
      'template-not-found',
      `template ${record.template} (${record.revision}) is not ready on this platform`,
    );
  }
  return template.descriptor;
}

async function restore(
  context: NodeContext,
  spec: SandboxSpec,
  snapshot: SnapshotEntry | undefined,
  golden: LocalGolden | undefined,
  template: TemplateDescriptor,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Sandbox> {
  await using folder = await createTransferFolder(context.transferFolder);
  if (snapshot === undefined) {
    if (golden === undefined) throw new DormouseError('internal', `template ${template.spec.name} has no golden here`);
    return await context.sandboxes.restore(
      spec,
      { baseMemoryPath: golden.memoryPath, devicePath: golden.devicePath },
      clock,
      signal,
    );
  }
  const { parts, base } = snapshot.manifest;
  const [memoryPath, devicePath] = [`${folder.path}/memory`, `${folder.path}/device`];
  await clock.measure('fetch', () =>
    Promise.all([
      fetchPart(context.store, parts.memory, memoryPath, signal),
      fetchPart(context.store, parts.device, devicePath, signal),
    ]),
  );
  if (base === undefined) return await context.sandboxes.restore(spec, { memoryPath, devicePath }, clock, signal);
  if (golden?.sha256 !== base) {
    throw new DormouseError('snapshot-missing', `generation ${snapshot.generation} was taken against another golden`, {
      details: { needs: base, has: golden?.sha256 },
    });
  }
  return await context.sandboxes.restore(
    spec,
    { baseMemoryPath: golden.memoryPath, memoryPath, devicePath },
    clock,
    signal,
  );
}

async function announceRunning(
  context: NodeContext,
  record: ActorRecord,
  activation: Activation,
  kind: StartKind,
  head: DurableState,
  clock: PhaseClock,
): Promise<void> {
  const result = await context.registry.transition({
    id: record.id,
    from: ['resuming'],
    to: 'running',
    epoch: activation.epoch,
    reason: `${kind} start on ${context.nodeId}`,
    update: {
      generation: head.generation,
      generationSeq: head.snapshot?.seq ?? record.generationSeq,
      logSeq: head.logSeq,
      lastStart: { kind, at: new Date().toISOString(), phases: clock.phases },
      lastError: undefined,
      unfenced: undefined,
    },
  });
  if (result.outcome !== 'moved') {
    throw new DormouseError('epoch-stale', `actor ${record.id} was taken over while it was being resumed`, {
      details: { ...result },
    });
  }
}

/** Codes after which the same attempt fails again until somebody mends something. */
const permanent: ReadonlySet<string> = new Set([
  'snapshot-corrupt',
  'snapshot-missing',
  'snapshot-unsupported',
  'lower-mismatch',
  'incompatible',
  'image-unavailable',
  'image-invalid',
  'container-exited',
  'container-start-failed',
  'probe-failed',
  'template-not-found',
]);

async function leaveResuming(context: NodeContext, record: ActorRecord, epoch: string, cause: unknown): Promise<void> {
  const error = toDormouseError(cause);
  const to = permanent.has(error.code) ? 'failed' : 'suspended';
  context.log.warn({ err: error, actorId: record.id, epoch, to }, 'resume failed');
  await context.registry.transition({
    id: record.id,
    from: ['resuming'],
    to,
    epoch,
    reason: `resume failed: ${error.message}`,
    update: { lastError: serializeError(error) },
  });
}
