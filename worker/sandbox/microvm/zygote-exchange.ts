/**
 * Zygotes by way of the store, for machines that have no boot of their own behind them. A node puts one there only if its
 * asset set was staged in that store: a single machine with sets of its own needs no copy of what it has.
 *
 * Failures are those of the store and of damaged objects; each call ends by its own deadline.
 */
import type { AssetSet } from '../../../shared/assets/asset-set.ts';
import { stagedAssetSet } from '../../../shared/assets/ship-asset-set.ts';
import { fetchZygote, stageZygote } from '../../../shared/assets/ship-zygote.ts';
import type { ObjectStore } from '../../../shared/object-store/object-store.ts';
import type { ZygoteExchange } from './zygotes.ts';

/** A start waits for it, and would boot in a few seconds without. */
const fetchLimitMs = 10_000;
/** Some tens of megabytes, and nobody waits. */
const offerLimitMs = 120_000;

export const zygoteExchange = (store: ObjectStore, { contents }: AssetSet): ZygoteExchange => ({
  fetch: (folder, machine) => fetchZygote(store, folder, machine, { signal: AbortSignal.timeout(fetchLimitMs) }),
  async offer(folder, machine) {
    const options = { signal: AbortSignal.timeout(offerLimitMs) };
    if ((await stagedAssetSet(store, contents.arch, options)) !== contents.digest) return;
    await stageZygote(store, folder, machine, options);
  },
});
