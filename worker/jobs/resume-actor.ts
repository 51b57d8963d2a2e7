/**
 * The resume job: from a claimed actor to a running one.
 *
 *   read what is durable, with a sandbox made ready meanwhile → restore (or boot) → tell the guest who it is → open the door
 *   → registry: resuming to running, fenced by the epoch
 *
 * A paused actor is restored from the capture that this node kept; its durable state only says where its log ends.
 *
 * Whatever fails before the last step disposes the sandbox and leads the actor out of `resuming` (leave-resuming.ts).
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { ConnectionPool } from '../../shared/http/connection-pool.ts';
import type { JobOf } from '../../shared/jobs/contracts.ts';
import { settleAll } from '../../shared/process/settle-all.ts';
import type { ActorRecord, Operation, StartKind } from '../../shared/registry/records.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { Activation } from '../activation/activation.ts';
import { recordLife } from '../activation/record-life.ts';
import { createGate } from '../ingress/gate.ts';
import { collectLogs } from '../logs/collector.ts';
import { keepLogs } from '../logs/keep-logs.ts';
import { recordLogs } from '../logs/record-logs.ts';
import type { NodeContext } from '../node-context.ts';
import { createPhaseClock, type PhaseClock } from '../sandbox/phase-clock.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { DurableState } from '../snapshot/durable-state.ts';
import { doneWith, type Begun, type Finished } from './finished.ts';
import { leaveResuming } from './leave-resuming.ts';
import { loseActivation } from './lose-activation.ts';
import { moveActor } from './move-actor.ts';
import { endActivation } from './run-on.ts';
import { restoreActor } from './restore-actor.ts';
import { containerStarts, startLimitMs, type ImagesByContainer } from './start-containers.ts';
import { openTransferFolder } from './transfer-folder.ts';

/** Connections an actor is offered at once; more requests than that wait inside the ingress. */
const maxConnectionsPerActor = 256;
/** The usual servers keep an idle connection for five seconds or more. */
const reuseWithinMs = 1000;

export async function resumeActor(
  context: NodeContext,
  job: JobOf<'resume'>,
  { record, mayActivate, operation }: Begun,
  signal: AbortSignal,
): Promise<Finished> {
  const clock = createPhaseClock();
  const requestedAtMs = Date.parse(job.requestedAt);
  clock.record('queue', Math.max(0, Date.now() - requestedAtMs));
  // A queue that came back from an older copy of Redis may order the past.
  if (record?.state !== 'resuming' || record.epoch !== job.epoch || !mayActivate) {
    throw new DormouseError('epoch-stale', `actor ${job.actorId} is no longer being resumed at epoch ${job.epoch}`);
  }
  try {
    await activate(context, record, { epoch: job.epoch, requestedAtMs, operation }, clock, signal);
    return { phases: clock.phases, isTold: true };
  } catch (cause) {
    await leaveResuming(context, record, job.epoch, cause);
    throw cause;
  }
}

interface Order {
  readonly epoch: string;
  readonly requestedAtMs: number;
  readonly operation: Operation;
}

async function activate(
  context: NodeContext,
  record: ActorRecord,
  { epoch, requestedAtMs, operation }: Order,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<void> {
  const template = await descriptorOf(context, record);
  using _wake = context.pool.beginWake(template.spec.memoryMiB);
  await using folder = openTransferFolder(context.transferFolder);
  const request = { record, epoch, template, folder };
  const { origin, checking, sandbox } = await restoreActor(context, request, clock, signal);
  clock.record('running', Math.max(0, Date.now() - requestedAtMs));
  const { head, golden, local } = origin;
  const kind: StartKind = origin.own === undefined ? 'cold' : 'warm';
  const identity = {
    id: record.id,
    uid: record.uid,
    template: record.template,
    revision: record.revision,
    epoch,
    generation: head.generation,
    node: context.nodeId,
  };
  const log = context.log.child({ actorId: record.id, epoch });
  const logs = collectLogs(sandbox.sessions, log);
  const keeper = keepLogs({ store: context.store, keyRing: context.blobs.keyRing, identity, log });
  const activation: Activation = {
    identity,
    epoch,
    template,
    sandbox: recordLife(recordLogs(sandbox, logs, keeper), log),
    gate: createGate(untilFirstAnswer(context)),
    logs,
    connections: new ConnectionPool({ reuseWithinMs, maxConnections: maxConnectionsPerActor }),
    base: golden && { path: golden.memoryPath, sha256: golden.sha256 },
    beneath: origin.beneath,
    quietUntil: 0,
  };
  try {
    const waking = clock.measure('guest', () => activation.sandbox.wake(identity, signal));
    const [images] = await settleAll([checking, waking]); // a changed image is the cause of what else may fail
    if (kind === 'cold') await clock.measure('containers', () => startContainers(sandbox, template, images, signal));
    context.activations.add(activation);
    await announceRunning(context, record, activation, { kind, head, operation }, clock, signal);
  } catch (cause) {
    await endActivation(context, activation);
    throw cause;
  }
  void activation.sandbox.exited.then((words) => loseActivation(context, activation, words));
  if (local !== undefined) {
    await context.captures.drop(local).catch((error: unknown) => {
      context.log.warn({ err: error, actorId: record.id }, 'the files of a capture were not removed');
    });
  }
}

/** Longer than a first request takes under emulation. */
const firstAnswerMs = 1000;

/** A first request runs on the processors that a sandbox in waiting would be made with. It may never come, or last. */
function untilFirstAnswer({ pool }: NodeContext): () => void {
  const held = pool.holdOff();
  const over = (): void => {
    clearTimeout(timer);
    held[Symbol.dispose]();
  };
  const timer = setTimeout(over, firstAnswerMs).unref();
  return over;
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
  const template = await context.templates.of(record);
  if (template.descriptor === undefined) {
    throw new DormouseError(
      'template-not-found',
      `template ${record.template} (${record.revision}) is not ready on this platform`,
    );
  }
  return template.descriptor;
}

async function announceRunning(
  context: NodeContext,
  record: ActorRecord,
  activation: Activation,
  { kind, head, operation }: { kind: StartKind; head: DurableState; operation: Operation },
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<void> {
  const move = { id: record.id, from: ['resuming'], to: 'running', epoch: activation.epoch } as const;
  const origin = record.capture === undefined ? '' : ' from its local capture';
  const transition = {
    ...move,
    reason: `${kind} start on ${context.nodeId}${origin}`,
    operation: doneWith(operation, clock.phases),
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
