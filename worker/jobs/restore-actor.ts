/**
 * Gets an actor's VM to run. What does not depend on the actor's own state (a sandbox with the golden in it) is taken from
 * the pool, or made, while that state is on its way; whichever fails, the other is not left behind.
 *
 * The images of a sandbox in waiting were checked when it was made. They are again, once the VM runs: a call for each file
 * of them, which would take a processor from the restore, fits beside the guest's own waking up. Nobody is told that the
 * actor runs, and nothing of it is kept, before both are over.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { settleAll } from '../../shared/process/settle-all.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { NodeContext } from '../node-context.ts';
import { prepareSandbox } from '../pool/prepare-sandbox.ts';
import type { PhaseClock } from '../sandbox/phase-clock.ts';
import type { PreparedSandbox, Sandbox, SandboxSpec } from '../sandbox/sandbox.ts';
import { readOrigin, type ActorOrigin, type OriginRequest } from './actor-origin.ts';
import { openImages, requireLowers } from './open-images.ts';
import { sandboxSpec, type ImagesByContainer } from './start-containers.ts';

export interface RestoredActor {
  readonly origin: ActorOrigin;
  /** Rejects when an image is not what it was: then the sandbox must end, and it is not disposed yet. */
  readonly checking: Promise<ImagesByContainer>;
  readonly sandbox: Sandbox;
}

export async function restoreActor(
  context: NodeContext,
  request: OriginRequest,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<RestoredActor> {
  const { record, template } = request;
  let opening: Promise<ImagesByContainer> | undefined;
  const open = (): Promise<ImagesByContainer> => {
    opening ??= clock.measure('images', () => openImages(context, template, signal));
    opening.catch(() => undefined); // who waits for it sees it
    return opening;
  };
  // A cold-started actor has no golden, in none of its generations.
  const pooled = record.coldStart ? undefined : context.pool.take(template);
  if (pooled === undefined) void open();
  const preparing = record.coldStart ? undefined : inWaiting(context, template, pooled, clock, signal);
  try {
    const [origin, waiting] = await settleAll([readOrigin(context, request, clock, signal), preparing]);
    const check = async (): Promise<ImagesByContainer> => {
      const images = await open();
      requireLowers(origin.lowers, images, context.nodeId);
      return images;
    };
    const sandbox = await startSandbox(context, request, { origin, check }, waiting, clock, signal);
    const checking = check();
    checking.catch(() => undefined); // who waits for it sees it
    return { origin, checking, sandbox };
  } catch (cause) {
    await Promise.allSettled([opening, preparing?.then(dispose)]);
    throw cause;
  }
}

interface Findings {
  readonly origin: ActorOrigin;
  readonly check: () => Promise<ImagesByContainer>;
}

interface Waiting {
  readonly sandbox: PreparedSandbox;
  /** It may have ended since it was made. */
  readonly isPooled: boolean;
}

const dispose = ({ sandbox }: Waiting): Promise<void> => Promise.resolve(sandbox[Symbol.asyncDispose]());

async function inWaiting(
  context: NodeContext,
  template: TemplateDescriptor,
  pooled: PreparedSandbox | undefined,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Waiting> {
  if (pooled !== undefined) return { sandbox: pooled, isPooled: true };
  return { sandbox: await prepareSandbox(context, template, clock, signal), isPooled: false };
}

async function startSandbox(
  context: NodeContext,
  { record, template }: OriginRequest,
  { origin: { own, golden }, check }: Findings,
  waiting: Waiting | undefined,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<Sandbox> {
  const spec = async (): Promise<SandboxSpec> => sandboxSpec(record.id, template.spec, await check(), context.images);
  if (own === undefined) return await context.sandboxes.boot(await spec(), clock, signal);
  const prepare = async (): Promise<PreparedSandbox> => {
    const needed = await spec();
    const preparedOn = (basePath?: string): Promise<PreparedSandbox> =>
      context.sandboxes.prepare(needed, basePath, clock, signal);
    if (golden === undefined) return await preparedOn();
    return await context.goldens.use(template.golden, ({ memoryPath }) => preparedOn(memoryPath));
  };
  if (waiting === undefined || golden === undefined) {
    await waiting?.sandbox[Symbol.asyncDispose]();
    return await (await prepare()).restore(own, clock, signal);
  }
  try {
    return await waiting.sandbox.restore(own, clock, signal);
  } catch (cause) {
    const hasDied = waiting.isPooled && cause instanceof DormouseError && cause.code === 'vmm-failed';
    if (!hasDied) throw cause;
    context.log.info({ err: cause, actorId: record.id }, 'a sandbox in waiting had ended, making another one');
    return await (await prepare()).restore(own, clock, signal);
  }
}
