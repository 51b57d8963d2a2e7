/**
 * The resume job: from a claimed actor to a running one.
 *
 *   read what is durable → check images and compatibility → restore (or boot) → tell the guest who it is → open the door
 *   → registry: resuming to running, fenced by the epoch
 *
 * A paused actor is restored from the capture that this node kept; its durable state only says where its log ends.
 *
 * Whatever fails before the last step disposes the sandbox and leads the actor out of `resuming` (leave-resuming.ts).
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { ConnectionPool } from '../../shared/http/connection-pool.ts';
import type { JobOf } from '../../shared/jobs/contracts.ts';
import type { ActorRecord, StartKind } from '../../shared/registry/records.ts';
import type { SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import { requireCompatible } from '../../shared/snapshot/manifest.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { Activation } from '../activation/activation.ts';
import { requireIntact, type LocalCapture } from '../activation/local-capture.ts';
import { recordLife } from '../activation/record-life.ts';
import { createGate } from '../ingress/gate.ts';
import type { NodeContext } from '../node-context.ts';
import { createPhaseClock, type PhaseClock } from '../sandbox/phase-clock.ts';
import type { RestoreSource, Sandbox, SandboxSpec } from '../sandbox/sandbox.ts';
import { durableState, type DurableState } from '../snapshot/durable-state.ts';
import { fetchPart } from '../snapshot/fetch-part.ts';
import type { LocalGolden } from '../snapshot/golden-cache.ts';
import { leaveResuming } from './leave-resuming.ts';
import { loseActivation } from './lose-activation.ts';
import { moveActor } from './move-actor.ts';
import { openImages, requireLowers } from './open-images.ts';
import { endActivation } from './run-on.ts';
import { containerStarts, sandboxSpec, startLimitMs, type ImagesByContainer } from './start-containers.ts';
import { createTransferFolder } from './transfer-folder.ts';

/** Connections an actor is offered at once; more requests than that wait inside the ingress. */
const maxConnectionsPerActor = 256;
/** The usual servers keep an idle connection for five seconds or more. */
const reuseWithinMs = 1000;

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
  const local = localCapture(context, record);
  if (local !== undefined) await requireIntact(local);
  requireCompatible(manifest.runtime, context.sandboxes.runtime);
  const images = await clock.measure('images', () => openImages(context, template, signal));
  requireLowers(manifest.lowers, images, context.nodeId);
  const kind: StartKind = record.coldStart && head.snapshot === undefined && local === undefined ? 'cold' : 'warm';
  // A snapshot without a base carries all of its memory; generation 0 is the golden itself.
  const needsGolden =
    local === undefined ? head.snapshot === undefined || manifest.base !== undefined : local.base !== undefined;
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
  const started =
    kind === 'cold'
      ? await context.sandboxes.boot(spec, clock, signal)
      : await restore(context, spec, local ?? head.snapshot, golden, template, clock, signal);
  const sandbox = recordLife(started, context.log.child({ actorId: record.id, epoch }));
  const activation: Activation = {
    identity,
    epoch,
    template,
    sandbox,
    gate: createGate(),
    connections: new ConnectionPool({ reuseWithinMs, maxConnections: maxConnectionsPerActor }),
    base: golden && { path: golden.memoryPath, sha256: golden.sha256 },
    quietUntil: 0,
  };
  try {
    await clock.measure('guest', () => sandbox.wake(identity, signal));
    if (kind === 'cold') await clock.measure('containers', () => startContainers(sandbox, template, images, signal));
    context.activations.add(activation);
    await announceRunning(context, record, activation, kind, head, clock, signal);
  } catch (cause) {
    await endActivation(context, activation);
    throw cause;
  }
  void sandbox.exited.then((words) => loseActivation(context, activation, words));
  if (local !== undefined) {
    await context.captures.drop(local).catch((error: unknown) => {
      context.log.warn({ err: error, actorId: record.id }, 'the files of a capture were not removed');
    });
  }
}

/** Of a paused actor. Without it the actor cannot run on, only fall back. */
function localCapture(context: NodeContext, { id, capture }: ActorRecord): LocalCapture | undefined {
  if (capture === undefined) return undefined;
  const local = context.captures.get(id, capture.epoch);
  if (local !== undefined) return local;
  throw new DormouseError('snapshot-missing', `the capture that ${id} was paused with is not on ${context.nodeId}`);
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
  origin: SnapshotEntry | LocalCapture | undefined,
  golden: LocalGolden | undefined,
  template: TemplateDescriptor,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Sandbox> {
  if (origin === undefined) {
    if (golden === undefined) throw new DormouseError('internal', `template ${template.spec.name} has no golden here`);
    const source = { baseMemoryPath: golden.memoryPath, devicePath: golden.devicePath };
    return await context.sandboxes.restore(spec, source, clock, signal);
  }
  if ('capture' in origin) return await context.sandboxes.restore(spec, sourceOf(origin, golden), clock, signal);
  return await restoreSnapshot(context, spec, origin, golden, clock, signal);
}

function sourceOf({ capture, base, identity }: LocalCapture, golden: LocalGolden | undefined): RestoreSource {
  const own = { memoryPath: capture.memory.path, devicePath: capture.device.path };
  if (base === undefined) return own;
  if (golden?.sha256 === base.sha256) return { baseMemoryPath: golden.memoryPath, ...own };
  throw new DormouseError('snapshot-missing', `${identity.id} was paused on another golden than this node has`);
}

async function restoreSnapshot(
  context: NodeContext,
  spec: SandboxSpec,
  snapshot: SnapshotEntry,
  golden: LocalGolden | undefined,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Sandbox> {
  await using folder = await createTransferFolder(context.transferFolder);
  const { parts, base } = snapshot.manifest;
  const [memoryPath, devicePath] = [`${folder.path}/memory`, `${folder.path}/device`];
  await clock.measure('fetch', () =>
    Promise.all([
      fetchPart(context.blobs, parts.memory, memoryPath, signal),
      fetchPart(context.blobs, parts.device, devicePath, signal),
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
  signal: AbortSignal,
): Promise<void> {
  const move = { id: record.id, from: ['resuming'], to: 'running', epoch: activation.epoch } as const;
  const origin = record.capture === undefined ? '' : ' from its local capture';
  const transition = {
    ...move,
    reason: `${kind} start on ${context.nodeId}${origin}`,
    update: {
      generation: head.generation,
      generationSeq: head.snapshot?.seq ?? record.generationSeq,
      logSeq: head.logSeq,
      lastStart: { kind, at: new Date().toISOString(), phases: clock.phases },
      lastError: undefined,
      capture: undefined,
      unfenced: undefined,
    },
  };
  if ((await moveActor(context, transition, signal)) === 'moved') return;
  throw new DormouseError('epoch-stale', `actor ${record.id} was taken over while it was being resumed`);
}
