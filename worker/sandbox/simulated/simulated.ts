/** One simulated sandbox: a counter in this process that takes the times of a VM, and is captured and restored like one. */
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { LogsReply } from '../../../shared/proto/gen/agent.ts';
import type { GuestSessions } from '../../guest/guest-sessions.ts';
import { DormouseError } from '../../../shared/errors/dormouse-error.ts';
import type { Sandbox, SandboxSpec } from '../sandbox.ts';
import type { CounterServers } from './counter-server.ts';
import { writeCapture, type CounterMemory } from './memory.ts';
import { take, type PhaseTimes } from './phase-times.ts';

const nothingInside = (): never => {
  throw new DormouseError('guest-unreachable', 'a simulated actor has nothing inside: no programs, files or logs');
};
const noSessions: GuestSessions = {
  exec: nothingInside,
  readFile: nothingInside,
  writeFile: nothingInside,
  logs: ({ follow }) => silence(follow),
};

/**
 * It writes nothing. A reader of a running one waits for its end: one that was refused would come back every second, which
 * no actor's reader does.
 */
function silence(follow: boolean): ClientReadableStream<LogsReply> {
  const over = Promise.withResolvers<undefined>();
  if (!follow) over.resolve(undefined);
  const stream = {
    cancel: () => over.resolve(undefined),
    [Symbol.asyncIterator]: () => ({ next: () => over.promise.then((value) => ({ done: true, value })) }),
  };
  return stream as unknown as ClientReadableStream<LogsReply>; // read to its end and cancelled, nothing else
}

export interface SimulatedParts {
  readonly spec: SandboxSpec;
  readonly folder: string;
  readonly times: PhaseTimes;
  readonly memory: CounterMemory;
  readonly servers: CounterServers;
}

export async function simulated({ spec, folder, times, memory, servers }: SimulatedParts): Promise<Sandbox> {
  const ports = new Set(memory.ports);
  let { count } = memory;
  let frozen = Promise.withResolvers<undefined>();
  frozen.resolve(undefined);
  const server = await servers.take({ count: () => ++count, running: () => frozen.promise }, memory.ports);
  return {
    folder,
    address: server.address,
    exited: new Promise(() => undefined), // it ends with its worker
    async start(containers, _timeoutMs, signal) {
      for (const { probe } of containers) if (probe !== undefined) ports.add(probe.port);
      for (const port of ports) await server.open(port);
      await take(times, 'containers', signal);
    },
    rest: () => Promise.resolve(),
    wake: (_identity, signal) => take(times, 'guest', signal),
    sessions: noSessions,
    async freeze(clock, signal) {
      frozen = Promise.withResolvers<undefined>();
      await clock.measure('freeze', () => take(times, 'freeze', signal));
    },
    async capture(target, _base, signal) {
      await take(times, 'capture', signal);
      return writeCapture(target, { count, ports: [...ports] }, spec.memoryMiB * 1024 * 1024);
    },
    thaw() {
      frozen.resolve(undefined);
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
