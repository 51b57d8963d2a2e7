/**
 * The prepare job: boots a template's VM, starts its containers, and captures the golden once every probe has passed.
 * The parts go to the store first, the create-only `template.json` last; a second preparation of the same revision finds
 * it and uses it. A failure leaves the template `failed` with the guest's words.
 */
import { randomUUID } from 'node:crypto';
import { DormouseError, serializeError } from '../../shared/errors/dormouse-error.ts';
import type { JobOf } from '../../shared/jobs/contracts.ts';
import type { Phases, TemplateRecord } from '../../shared/registry/records.ts';
import type { SnapshotManifest } from '../../shared/snapshot/manifest.ts';
import { objectKeys } from '../../shared/snapshot/object-keys.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import { readDescriptor } from '../../shared/template/stored-descriptor.ts';
import type { NodeContext } from '../node-context.ts';
import { createPhaseClock, type PhaseClock } from '../sandbox/phase-clock.ts';
import { manifestOf, shipPart } from '../snapshot/ship.ts';
import { askFromOutside } from './ask-from-outside.ts';
import { containerStarts, sandboxSpec, startLimitMs, type ImagesByContainer } from './start-containers.ts';
import { openTransferFolder } from './transfer-folder.ts';
import { makeWarmUpCalls } from './warm-up-calls.ts';

export async function prepareTemplate(
  context: NodeContext,
  job: JobOf<'prepare-template'>,
  signal: AbortSignal,
): Promise<Phases> {
  const record = await context.registry.getTemplate(job.template);
  if (record?.revision !== job.revision || record.state !== 'preparing') {
    throw new DormouseError('state-conflict', `template ${job.template} (${job.revision}) is no longer being prepared`);
  }
  const clock = createPhaseClock();
  try {
    const descriptor =
      (await storedDescriptor(context, record, signal)) ?? (await prepare(context, record, clock, signal));
    await update(context, { ...record, state: 'ready', since: new Date().toISOString(), descriptor });
    context.pool.expect(descriptor);
    return clock.phases;
  } catch (cause) {
    context.log.warn({ err: cause, template: record.name }, 'template could not be prepared');
    await update(context, {
      ...record,
      state: 'failed',
      since: new Date().toISOString(),
      error: serializeError(cause),
    });
    throw cause;
  }
}

const update = (context: NodeContext, record: TemplateRecord): Promise<boolean> =>
  context.registry.updateTemplate(record, ['preparing']);

async function prepare(
  context: NodeContext,
  record: TemplateRecord,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<TemplateDescriptor> {
  const { spec, revision } = record;
  const images = await clock.measure('images', () => prepareImages(context, record, signal));
  const golden = await captureGolden(context, record, images, clock, signal);
  const descriptor: TemplateDescriptor = {
    formatVersion: 1,
    spec,
    revision,
    images: Object.fromEntries(
      [...images].map(([container, { reference, digest, treeDigest }]) => [
        container,
        { reference, digest, treeDigest },
      ]),
    ),
    golden,
    preparedAt: new Date().toISOString(),
  };
  const bytes = Buffer.from(JSON.stringify(descriptor));
  const outcome = await context.store.create(
    objectKeys.template(spec.name, revision),
    { kind: 'bytes', bytes },
    { signal },
  );
  // Somebody else prepared the same revision: theirs stands, and our golden's parts belong to nobody.
  return outcome === 'created' ? descriptor : ((await storedDescriptor(context, record, signal)) ?? descriptor);
}

async function prepareImages(
  context: NodeContext,
  { spec }: TemplateRecord,
  signal: AbortSignal,
): Promise<ImagesByContainer> {
  const images = new Map<string, Awaited<ReturnType<typeof context.images.prepare>>>();
  for (const container of spec.containers) {
    images.set(container.name, await context.images.prepare(container.image, { signal }));
  }
  return images;
}

async function captureGolden(
  context: NodeContext,
  { spec, revision }: TemplateRecord,
  images: ImagesByContainer,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<SnapshotManifest> {
  await using folder = openTransferFolder(context.transferFolder);
  await using sandbox = await context.sandboxes.boot(
    sandboxSpec(spec.name, spec, images, context.images),
    clock,
    signal,
  );
  const containers = await containerStarts(spec, images);
  await clock.measure('containers', () => sandbox.start(containers, startLimitMs, signal));
  await clock.measure('app', async () => {
    await askFromOutside(sandbox, spec, signal);
    await makeWarmUpCalls(sandbox, spec, signal);
    await sandbox.rest(signal);
  });
  await sandbox.freeze(clock, signal);
  const capture = await clock.measure('capture', async () => sandbox.capture(await folder.path(), undefined, signal));
  const attempt = randomUUID();
  const keys = {
    memory: objectKeys.goldenPart(spec.name, revision, attempt, 'memory'),
    device: objectKeys.goldenPart(spec.name, revision, attempt, 'device'),
  };
  const [memory, device] = await clock.measure('ship', () =>
    Promise.all([
      shipPart(context.blobs, keys.memory, capture.memory, signal),
      shipPart(context.blobs, keys.device, capture.device, signal),
    ]),
  );
  const lowers = Object.fromEntries([...images].map(([container, image]) => [container, image.treeDigest]));
  return manifestOf(capture, { memory, device }, { runtime: context.sandboxes.runtime, lowers });
}

const storedDescriptor = (
  { store }: NodeContext,
  { name, revision }: TemplateRecord,
  signal: AbortSignal,
): Promise<TemplateDescriptor | undefined> => readDescriptor(store, name, revision, { signal });
