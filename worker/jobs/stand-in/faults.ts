/**
 * Makes one call of a port fail, before it does anything or after it has done all of it. Each call has a name,
 * `<port>.<method>#<n>`, so that a run without a fault lists the places where the next runs can have one.
 */
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { ErrorCode } from '../../../shared/errors/codes.ts';

export interface FaultPlan {
  /** The calls that were made, in order. */
  readonly calls: string[];
  fault?: Fault;
  /** Whether the fault has struck. */
  struck?: boolean;
  /** Calls under way: a job leaves some to itself, which are not to be mixed up with the next one's. */
  pending: number;
}

export const newPlan = (): FaultPlan => ({ calls: [], pending: 0 });

export interface Fault {
  readonly call: string;
  readonly when: 'before' | 'after';
}

const codes: Readonly<Record<string, ErrorCode>> = {
  registry: 'registry-unavailable',
  store: 'store-unavailable',
  sandbox: 'guest-unreachable',
  sandboxes: 'vmm-failed',
  prepared: 'vmm-failed',
};

/** The real port, with the plan's fault in it. `adapt` wraps what a call returned. */
export function withFaults<Port extends object>(
  port: Port,
  name: string,
  plan: FaultPlan,
  adapt: (result: unknown) => unknown = (result) => result,
): Port {
  const counts = new Map<string, number>();
  const errorAt = (call: string, when: Fault['when']): DormouseError | undefined => {
    if (plan.fault?.call !== call || plan.fault.when !== when) return undefined;
    plan.struck = true;
    return new DormouseError(codes[name] ?? 'internal', `a fault ${when} ${call}`);
  };
  return new Proxy(port, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function' || typeof property === 'symbol') return member;
      return (...args: unknown[]): unknown => {
        const count = (counts.get(property) ?? 0) + 1;
        counts.set(property, count);
        const call = `${name}.${property}#${count}`;
        plan.calls.push(call);
        const work = (): unknown => Reflect.apply(member, target, args);
        // A listing is not a promise: it fails where it begins, or when all of it has been read.
        const [before, after] = [errorAt(call, 'before'), errorAt(call, 'after')];
        if (property === 'list') return listing(plan, work, before, after);
        plan.pending++;
        return once(work, adapt, before, after).finally(() => plan.pending--);
      };
    },
  });
}

async function once(
  work: () => unknown,
  adapt: (result: unknown) => unknown,
  before: DormouseError | undefined,
  after: DormouseError | undefined,
): Promise<unknown> {
  if (before !== undefined) throw before;
  const result = await work();
  if (after === undefined) return adapt(result);
  // The contract of every port: what throws has left nothing open behind.
  if (isDisposable(result)) await result[Symbol.asyncDispose]();
  throw after;
}

async function* listing(
  plan: FaultPlan,
  work: () => unknown,
  before: DormouseError | undefined,
  after: DormouseError | undefined,
): AsyncGenerator {
  if (before !== undefined) throw before;
  plan.pending++;
  try {
    yield* work() as AsyncIterable<unknown>;
  } finally {
    plan.pending--;
  }
  if (after !== undefined) throw after;
}

const isDisposable = (value: unknown): value is AsyncDisposable =>
  typeof value === 'object' && value !== null && Symbol.asyncDispose in value;
