/**
 * What a wake starts from, as files of this node that are known to be whole and loadable here:
 *
 *   paused on this node   its local capture
 *   a generation          its parts, and those of earlier ones that they lie over, fetched from the store
 *   generation 0          the golden's device state; its memory is the base
 *   cold                  nothing: the VM boots
 *
 * Failures: those of the durable state and of the parts, `incompatible`, and `snapshot-missing` when a capture, or the
 * golden that the parts were taken against, is not here.
 */
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { settleAll } from '../../shared/process/settle-all.ts';
import type { ActorRecord } from '../../shared/registry/records.ts';
import type { SnapshotEntry } from '../../shared/snapshot/actor-log.ts';
import {
  maxBelow,
  memoryChain,
  requireCompatible,
  type SnapshotManifest,
  type SnapshotPart,
} from '../../shared/snapshot/manifest.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import { requireIntact, type LocalCapture } from '../activation/local-capture.ts';
import type { NodeContext } from '../node-context.ts';
import type { PhaseClock } from '../sandbox/phase-clock.ts';
import type { OwnState } from '../sandbox/sandbox.ts';
import { durableState, type DurableState } from '../snapshot/durable-state.ts';
import { fetchPart } from '../snapshot/fetch-part.ts';
import type { LocalGolden } from '../snapshot/golden-cache.ts';
import type { TransferFolder } from './transfer-folder.ts';

export interface ActorOrigin {
  readonly head: DurableState;
  /** Digests of the lowers it was taken on, by container. */
  readonly lowers: Readonly<Record<string, string>>;
  /** The golden that its changes are counted against; none when its pages are all of its memory, or it boots. */
  readonly golden: LocalGolden | undefined;
  /** None: it boots. */
  readonly own: OwnState | undefined;
  /** The durable parts that its memory is laid from, if one more may lie over them. */
  readonly beneath: readonly SnapshotPart[] | undefined;
  /** The capture it came from; its files are of no use once it runs. */
  readonly local: LocalCapture | undefined;
}

export interface OriginRequest {
  readonly record: ActorRecord;
  readonly epoch: string;
  readonly template: TemplateDescriptor;
  /** Where what is fetched goes; holds what need not be. */
  readonly folder: TransferFolder;
}

export async function readOrigin(
  context: NodeContext,
  request: OriginRequest,
  clock: PhaseClock,
  signal: AbortSignal,
): Promise<ActorOrigin> {
  const { record, epoch, template } = request;
  const head = await clock.measure('fetch', () => headOf(context, record, epoch, signal));
  const manifest = head.snapshot?.manifest ?? template.golden;
  requireCompatible(manifest.runtime, context.sandboxes.runtime);
  const { lowers } = manifest;
  const goldenOf = (): Promise<LocalGolden> => clock.measure('golden', () => context.goldens.get(template.golden));
  const local = localCapture(context, record);
  if (local !== undefined) {
    await requireIntact(local);
    const golden = local.base && requireSame(await goldenOf(), local.base.sha256, record.id);
    const { memory, device } = local.capture;
    const own = { memoryPaths: [memory.path], devicePath: device.path };
    return { head, lowers, golden, own, beneath: undefined, local };
  }
  const { snapshot } = head;
  if (snapshot !== undefined) {
    const [golden, own] = await settleAll([
      manifest.base === undefined ? undefined : goldenOf(),
      clock.measure('fetch', () => fetchOwn(context, snapshot, request.folder, signal)),
    ]);
    if (golden !== undefined) requireSame(golden, manifest.base, record.id);
    return { head, lowers, golden, own, beneath: beneathNext(manifest), local };
  }
  if (record.coldStart) return { head, lowers, golden: undefined, own: undefined, beneath: undefined, local };
  const golden = await goldenOf();
  const own = { memoryPaths: [], devicePath: golden.devicePath };
  return { head, lowers, golden, own, beneath: undefined, local };
}

/** As this node wrote it, when that is certain; otherwise as the store has it. */
async function headOf(
  { store, knownLogs }: NodeContext,
  record: ActorRecord,
  epoch: string,
  signal: AbortSignal,
): Promise<DurableState> {
  const snapshot = knownLogs.headFor(record);
  if (snapshot === undefined) return await durableState(store, record, epoch, signal);
  return { snapshot, generation: snapshot.generation, logSeq: snapshot.seq };
}

/** Of a paused actor. Without it the actor cannot run on, only fall back. */
function localCapture(context: NodeContext, { id, capture }: ActorRecord): LocalCapture | undefined {
  if (capture === undefined) return undefined;
  const local = context.captures.get(id, capture.epoch);
  if (local !== undefined) return local;
  throw new DormouseError('snapshot-missing', `the capture that ${id} was paused with is not on ${context.nodeId}`);
}

/** A full chain, or one without a base, is begun anew by the next generation. */
function beneathNext(manifest: SnapshotManifest): readonly SnapshotPart[] | undefined {
  const chain = memoryChain(manifest);
  return manifest.base !== undefined && chain.length <= maxBelow ? chain : undefined;
}

async function fetchOwn(
  { blobs }: NodeContext,
  { manifest }: SnapshotEntry,
  folder: TransferFolder,
  signal: AbortSignal,
): Promise<OwnState> {
  const open = async (part: SnapshotPart, name: string): Promise<string> => {
    const held = await blobs.cache?.hold(part.sha256);
    if (held !== undefined) {
      folder.use(held);
      return held.path;
    }
    const target = path.join(await folder.path(), name);
    await fetchPart(blobs, part, target, signal);
    return target;
  };
  const memory = memoryChain(manifest).map((part, index) => open(part, `memory-${index}`));
  const [devicePath, ...memoryPaths] = await settleAll([open(manifest.parts.device, 'device'), ...memory]);
  return { memoryPaths, devicePath };
}

function requireSame(golden: LocalGolden, needs: string | undefined, id: string): LocalGolden {
  if (golden.sha256 === needs) return golden;
  throw new DormouseError(
    'snapshot-missing',
    `the state of ${id} was taken against another golden than this node has`,
    {
      details: { needs, has: golden.sha256 },
    },
  );
}
