/** Every step that any part can take in a state. A step with `fault` is bad luck; without the others nothing gets on. */
import {
  isHeld,
  newestGeneration,
  type Bounds,
  type Entry,
  type Flight,
  type Guards,
  type Node,
  type Record,
  type Registry,
  type State,
  type Vm,
} from './state.ts';

export interface Step {
  readonly name: string;
  readonly fault: boolean;
  readonly next: State;
}

type Steps = Generator<Step, void, undefined>;

export function* stepsFrom(state: State, guards: Guards, bounds: Bounds): Steps {
  yield* claims(state, bounds);
  for (const [node, { vm }] of state.nodes.entries()) {
    yield* loads(state, guards, node);
    if (vm !== undefined) yield* lifeOf(state, guards, node, vm);
    if (vm !== undefined) yield* strayEnds(state, guards, node, vm);
    yield* nodeFaults(state, guards, node);
  }
  yield* landings(state, guards);
  yield* fallBacks(state, guards);
  yield* rollbacks(state, guards);
}

const step = (name: string, next: State): Step => ({ name, fault: false, next });
const fault = (name: string, state: State, changes: Partial<State>): Step => ({
  name,
  fault: true,
  next: { ...state, ...changes, faultsLeft: state.faultsLeft - 1 },
});

const withNode = (state: State, node: number, changes: Partial<Node>): State => ({
  ...state,
  nodes: state.nodes.map((each, index) => (index === node ? { ...each, ...changes } : each)),
});
const withVm = (state: State, node: number, vm: Vm | undefined): State => withNode(state, node, { vm });
const withRegistry = (state: State, changes: Partial<Registry>): State => ({
  ...state,
  registry: { ...state.registry, ...changes },
});
const withRecord = (state: State, changes: Partial<Record>): State =>
  withRegistry(state, { record: { ...state.registry.record, ...changes } });

/** The registry's one atomic change: undefined when it is refused. */
function moved(
  state: State,
  guards: Guards,
  from: readonly Record['state'][],
  epoch: number,
  changes: Partial<Record>,
): State | undefined {
  const { record } = state.registry;
  if (!from.includes(record.state) || (guards.epochChecked && record.epoch !== epoch)) return undefined;
  return withRecord(state, changes);
}

function* claims(state: State, bounds: Bounds): Steps {
  const { record, epochs, jobs } = state.registry;
  if (isHeld(record) || state.hold || epochs >= bounds.epochs) return;
  for (const [node, { lease }] of state.nodes.entries()) {
    if (!lease) continue;
    const epoch = epochs + 1;
    const claimed = withRegistry(state, {
      record: { ...record, state: 'resuming', epoch, node },
      epochs: epoch,
      jobs: [...jobs, { node, epoch }],
    });
    yield step(`claim ${epoch} for node ${node}`, claimed);
    if (state.faultsLeft > 0)
      yield fault(`claim ${epoch}, and its job is lost`, state, { registry: { ...claimed.registry, jobs } });
  }
}

function* loads(state: State, guards: Guards, node: number): Steps {
  const { jobs, record } = state.registry;
  const { lease, vm } = state.nodes[node] ?? { lease: false, vm: undefined };
  for (const job of jobs) {
    if (job.node !== node || !lease || vm !== undefined) continue;
    const taken = withRegistry(state, { jobs: jobs.filter((each) => each !== job) });
    const matters = record.state === 'resuming' && record.epoch === job.epoch;
    if (guards.jobChecked && !matters) {
      yield step('drop a job', taken);
      continue;
    }
    const log = firstFenced(state, guards);
    const loading: Vm = {
      epoch: job.epoch,
      state: 'loading',
      from: newestGeneration(state.log),
      seq: log.length,
    };
    yield step(`node ${node} loads ${job.epoch}`, { ...withVm(taken, node, loading), log });
    if (state.faultsLeft > 0) yield fault('a job comes twice', state, { nodes: withVm(state, node, loading).nodes });
  }
}

function firstFenced({ log, registry }: State, guards: Guards): readonly Entry[] {
  const epoch = registry.earlier;
  const isOfThisLife = (log.at(-1)?.epoch ?? 0) > epoch;
  const stands = log.at(-1)?.kind === 'fence' && log.at(-1)?.epoch === epoch;
  if (!guards.fencesEarlierLives || epoch === 0 || isOfThisLife || stands) return log;
  return [...log, { kind: 'fence', epoch }];
}

function* lifeOf(state: State, guards: Guards, node: number, vm: Vm): Steps {
  const { epoch } = vm;
  const gone = withVm(state, node, undefined);
  switch (vm.state) {
    case 'loading': {
      const running = moved(state, guards, ['resuming'], epoch, { state: 'running' });
      yield step(`${epoch} is up`, running === undefined ? gone : withVm(running, node, { ...vm, state: 'up' }));
      if (running !== undefined && state.faultsLeft > 0)
        yield fault(`${epoch} is up, and its node is not told`, running, { nodes: gone.nodes });
      yield step(`${epoch} cannot be loaded`, moved(gone, guards, ['resuming'], epoch, { state: 'suspended' }) ?? gone);
      return;
    }
    case 'up': {
      const begun = moved(state, guards, ['running'], epoch, { state: 'suspending' });
      if (begun !== undefined) yield step(`begin to suspend ${epoch}`, begun);
      const { record } = state.registry;
      if (record.state === 'suspending' && record.epoch === epoch)
        yield step(`freeze ${epoch}`, withVm(state, node, { ...vm, state: 'frozen' }));
      return;
    }
    case 'frozen':
      yield step(`send the commit of ${epoch}`, withVm(state, node, { ...vm, state: 'sent' }));
      return;
    case 'sent':
      yield* commitEnds(state, guards, node, vm);
      return;
    case 'committed': {
      const update = { state: 'suspended', logSeq: vm.seq } as const;
      yield step(`settle ${epoch}`, moved(gone, guards, ['suspending'], epoch, update) ?? gone);
      if (state.faultsLeft > 0)
        yield fault(`${epoch} is committed, and the registry is not told`, state, { nodes: gone.nodes });
    }
  }
}

function* commitEnds(state: State, guards: Guards, node: number, vm: Vm): Steps {
  const { epoch, from, seq } = vm;
  const gone = withVm(state, node, undefined);
  const log = written(state.log, guards, { epoch, from, seq });
  const standing = state.log[seq];
  if (log !== undefined) {
    const committed: Vm = { epoch, state: 'committed', from: seq + 1, seq: seq + 1 };
    yield step(`commit ${epoch}`, { ...withVm(state, node, committed), log });
  } else if (standing?.kind === 'snapshot' && standing.epoch === epoch) {
    yield step(
      `${epoch} finds its own commit`,
      withVm(state, node, { ...vm, state: 'frozen', from: seq + 1, seq: seq + 1 }),
    );
  } else yield step(`${epoch} loses`, moved(gone, guards, ['suspending'], epoch, { state: 'suspended' }) ?? gone);
  if (state.faultsLeft === 0) return;
  const flights = [...state.flights, { epoch, from, seq }];
  const running = moved(state, guards, ['suspending'], epoch, { state: 'running' });
  const runsOn = running === undefined ? gone : withVm(running, node, { ...vm, state: 'up' });
  yield fault(`no answer to the commit of ${epoch}: it runs on`, { ...runsOn, flights }, {});
  const dead = guards.fencesUnknownCommit
    ? gone
    : (moved(gone, guards, ['suspending'], epoch, { state: 'suspended' }) ?? gone);
  yield fault(`no answer to the commit of ${epoch}, which cannot run on`, { ...dead, flights }, {});
}

/** The log with the entry in it; undefined when its place is taken. */
function written(log: readonly Entry[], guards: Guards, { epoch, from, seq }: Flight): Entry[] | undefined {
  if (seq < log.length && guards.createOnly) return undefined;
  return [...log.slice(0, seq), { kind: 'snapshot', epoch, from }, ...log.slice(seq + 1)];
}

function* landings(state: State, guards: Guards): Steps {
  for (const flight of state.flights) {
    const flights = state.flights.filter((each) => each !== flight);
    const log = written(state.log, guards, flight);
    if (log !== undefined) yield step(`a late commit of ${flight.epoch} lands`, { ...state, flights, log });
  }
}

/** A live node looks at the registry: what it holds and nobody wants any more, it ends. */
function* strayEnds(state: State, guards: Guards, node: number, vm: Vm): Steps {
  const { record } = state.registry;
  const wanted = isHeld(record) && record.epoch === vm.epoch && record.node === node;
  const knows = guards.nodeLeadsFirst && !wanted && vm.state !== 'sent';
  if (knows || state.hold) yield step(`node ${node} ends ${vm.epoch}`, withVm(state, node, undefined));
}

function* nodeFaults(state: State, guards: Guards, node: number): Steps {
  const { lease, vm } = state.nodes[node] ?? { lease: false, vm: undefined };
  const { record } = state.registry;
  if (!lease && vm === undefined && !(isHeld(record) && record.node === node))
    yield step(`node ${node} is back`, withNode(state, node, { lease: true }));
  if (!lease || state.faultsLeft === 0) return;
  const late: Flight[] = vm?.state === 'sent' ? [vm].map(({ epoch, from, seq }) => ({ epoch, from, seq })) : [];
  const flights = [...state.flights, ...late];
  const dead = withNode(state, node, { lease: false, vm: undefined }).nodes;
  yield fault(`node ${node} crashes`, state, { nodes: dead, flights });
  if (vm === undefined) return;
  const expired = guards.endsBeforeLease ? dead : withNode(state, node, { lease: false }).nodes;
  // A worker that was stopped between its last look at the clock and its write still writes.
  const { epoch, from, seq } = vm;
  const written = vm.state === 'frozen' ? [...state.flights, { epoch, from, seq }] : flights;
  yield fault(`the lease of node ${node} runs out`, state, {
    nodes: expired,
    flights: guards.endsBeforeLease ? written : state.flights,
  });
}

function* fallBacks(state: State, guards: Guards): Steps {
  const { record } = state.registry;
  if (state.fallBack !== undefined) {
    const { epoch, logSeq } = state.fallBack;
    const done = { ...state, fallBack: undefined };
    const held = ['resuming', 'running', 'suspending'] as const;
    yield step(`${epoch} falls back`, moved(done, guards, held, epoch, { state: 'suspended', logSeq }) ?? done);
    return;
  }
  if (!isHeld(record) || !mayDeclareOver(state, guards)) return;
  const { epoch } = record;
  const last = state.log.at(-1);
  const stands = last?.kind === 'fence' && last.epoch === epoch;
  const log: readonly Entry[] = guards.fenceFirst && !stands ? [...state.log, { kind: 'fence', epoch }] : state.log;
  yield step(`fence ${epoch}`, { ...state, log, fallBack: { epoch, logSeq: log.length } });
}

/** Without a lease at once; on a live node when a deadline has passed, or the node says that it has no such activation. */
function mayDeclareOver(state: State, guards: Guards): boolean {
  const { record, jobs } = state.registry;
  const node = state.nodes[record.node];
  if (node?.lease !== true) return true;
  const has = node.vm?.epoch === record.epoch;
  const coming = jobs.some((job) => job.epoch === record.epoch);
  if (record.state === 'running') return guards.reportsMissing && !has;
  return guards.nodeLeadsFirst ? !has && !coming : true;
}

function* rollbacks(state: State, guards: Guards): Steps {
  const { registry, copy } = state;
  if (state.hold && state.nodes.every(({ vm }) => vm === undefined))
    yield step('the hold is over', { ...state, hold: false });
  if (state.faultsLeft === 0) return;
  if (copy === undefined) yield step('a copy of the registry is kept', { ...state, copy: registry });
  else {
    yield fault('the registry is an old copy', state, {
      // A node drops the jobs of an earlier incarnation.
      registry: guards.newIncarnation ? { ...copy, epochs: registry.epochs, earlier: registry.epochs, jobs: [] } : copy,
      hold: guards.announcePeriod,
      copy: undefined,
    });
  }
}
