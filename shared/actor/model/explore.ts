/**
 * Looks at every state that the model can reach, breadth first, so that what it finds is found by a shortest way. Then it
 * goes back from the settled states over the steps that need no bad luck: a state from which none of them can be reached
 * is a dead end.
 */
import { brokenPromise, isSettled } from './properties.ts';
import { initialState, type Bounds, type Guards, type State } from './state.ts';
import { stepsFrom } from './steps.ts';

export interface Exploration {
  readonly states: number;
  /** What is broken and the steps that lead there; undefined when nothing is. */
  readonly violation: { readonly words: string; readonly way: readonly string[] } | undefined;
}

interface Seen {
  readonly state: State;
  readonly parent: number;
  readonly name: string;
}

export function explore(guards: Guards, bounds: Bounds): Exploration {
  const seen: Seen[] = [{ state: initialState(bounds), parent: -1, name: 'start' }];
  const indexOf = new Map<string, number>([[JSON.stringify(seen[0]?.state), 0]]);
  /** For each state, those from which a step without bad luck leads to it. */
  const before: number[][] = [[]];
  for (let index = 0; index < seen.length; index++) {
    const current = seen[index];
    if (current === undefined) break;
    const words = brokenPromise(current.state);
    if (words !== undefined) return { states: seen.length, violation: { words, way: wayTo(seen, index) } };
    for (const { name, fault, ...to } of stepsFrom(current.state, guards, bounds)) {
      const next = withoutTheIdle(to.next, guards);
      const key = JSON.stringify(next);
      let target = indexOf.get(key);
      if (target === undefined) {
        target = seen.length;
        indexOf.set(key, target);
        seen.push({ state: next, parent: index, name });
        before.push([]);
      }
      if (!fault) before[target]?.push(index);
    }
  }
  const stuck = firstDeadEnd(seen, before);
  if (stuck === undefined) return { states: seen.length, violation: undefined };
  return { states: seen.length, violation: { words: 'there is no way out', way: wayTo(seen, stuck) } };
}

/** What can make no difference any more makes no new state: a commit whose place is taken, a job that will be dropped. */
function withoutTheIdle(state: State, guards: Guards): State {
  const { log, registry, flights } = state;
  const { record, jobs } = registry;
  const wanted = (epoch: number): boolean => record.state === 'resuming' && record.epoch === epoch;
  const mayDrop = guards.jobChecked && guards.newIncarnation; // otherwise an old registry may want it again
  return {
    ...state,
    flights: guards.createOnly ? flights.filter(({ seq }) => seq >= log.length) : flights,
    registry: mayDrop ? { ...registry, jobs: jobs.filter(({ epoch }) => wanted(epoch)) } : registry,
  };
}

function firstDeadEnd(seen: readonly Seen[], before: readonly (readonly number[])[]): number | undefined {
  const live = new Set(seen.keys().filter((index) => isSettled(seen[index]?.state ?? initialState(noBounds))));
  for (const index of live) for (const earlier of before[index] ?? []) live.add(earlier); // a set grows while it is walked
  for (const index of seen.keys()) if (!live.has(index)) return index;
  return undefined;
}

const noBounds: Bounds = { nodes: 0, epochs: 0, faults: 0 };

function wayTo(seen: readonly Seen[], index: number): string[] {
  const way: string[] = [];
  for (let at = seen[index]; at !== undefined && at.parent >= 0; at = seen[at.parent]) way.unshift(at.name);
  return way;
}
