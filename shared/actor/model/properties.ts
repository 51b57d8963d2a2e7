/** What must hold in every state, in words when it does not. */
import { isHeld, type State } from './state.ts';

export function brokenPromise(state: State): string | undefined {
  return twoRun(state) ?? twoMayCommit(state) ?? commitAfterFence(state) ?? lostGeneration(state) ?? epochTwice(state);
}

/** Everything that has ended, or that runs where the registry says. From every state the way to one of these is open. */
export function isSettled({ registry, nodes, hold, fallBack }: State): boolean {
  const { record } = registry;
  if (hold || fallBack !== undefined) return false;
  if (!isHeld(record)) return nodes.every(({ vm }) => vm === undefined);
  if (record.state !== 'running') return false;
  return nodes.every(({ vm, lease }, index) =>
    index === record.node ? lease && vm?.state === 'up' && vm.epoch === record.epoch : vm === undefined,
  );
}

function twoRun({ nodes }: State): string | undefined {
  const up = nodes.flatMap(({ vm }) => (vm?.state === 'up' ? [vm.epoch] : []));
  return up.length > 1 ? `activations ${up.join(' and ')} run at once` : undefined;
}

/** Single activation as the store sees it: of all that may still write, only one activation's entry would be taken. */
function twoMayCommit({ log, nodes, flights, registry }: State): string | undefined {
  const { epoch } = registry.record;
  const vms = nodes.flatMap(({ vm }) => vm ?? []);
  // A VM that is up writes only once the registry lets it be suspended.
  const writing = vms.filter(
    ({ state, ...vm }) => state === 'frozen' || state === 'sent' || (state === 'up' && vm.epoch === epoch),
  );
  const writers = [...writing, ...flights];
  const able = new Set(writers.filter(({ seq }) => seq === log.length).map(({ epoch }) => epoch));
  return able.size > 1 ? `activations ${[...able].join(' and ')} may both commit` : undefined;
}

function commitAfterFence({ log }: State): string | undefined {
  const late = log.findIndex(
    (entry, index) =>
      entry.kind === 'snapshot' &&
      log.slice(0, index).some((earlier) => earlier.kind === 'fence' && earlier.epoch === entry.epoch),
  );
  return late < 0 ? undefined : `entry ${late + 1} was committed after its fence`;
}

/** Each generation goes on from the one before it, so none is ever left out; and none disappears. */
function lostGeneration({ log }: State): string | undefined {
  let newest = 0;
  for (const [index, entry] of log.entries()) {
    if (entry.kind !== 'snapshot') continue;
    if (entry.from !== newest) return `entry ${index + 1} goes on from ${entry.from}, not from ${newest}`;
    newest = index + 1;
  }
  return undefined;
}

function epochTwice({ nodes }: State): string | undefined {
  const epochs = nodes.flatMap(({ vm }) => (vm === undefined ? [] : [vm.epoch]));
  return new Set(epochs).size === epochs.length ? undefined : `epoch ${epochs.join()} is held twice`;
}
