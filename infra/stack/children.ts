/**
 * The children of one stack by name: started under supervision with a log each, stopped in phases, and the promise that
 * one of them failed too often to go on.
 */
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { openChildLog, type ChildLog, type LogWarning } from './child-log.ts';
import { supervise, type ChildSpec, type Death, type SupervisedChild } from './supervise.ts';

export interface StackEvents {
  /** One line for people: what begins or what has ended. */
  readonly onPhase?: (line: string) => void;
  readonly onDeath?: (death: Death) => void;
  readonly onWarning?: (warning: LogWarning) => void;
}

export interface StopPhase {
  readonly title: string;
  readonly names: readonly string[];
  readonly limitMs: number;
}

export interface Children {
  readonly byName: ReadonlyMap<string, SupervisedChild>;
  readonly gaveUp: Promise<DormouseError>;
  start(spec: ChildSpec): Promise<void>;
  /** Phases run one after the other, the children of a phase at the same time; absent names are skipped. */
  stop(phases: readonly StopPhase[]): Promise<void>;
  kill9(): Promise<void>;
}

export function createChildren(home: string, events: StackEvents): Children {
  const byName = new Map<string, SupervisedChild>();
  const logs: ChildLog[] = [];
  const gaveUp = Promise.withResolvers<DormouseError>();
  const closeLogs = async (): Promise<void> => {
    await Promise.all(logs.splice(0).map((log) => log.close()));
  };

  const onDeath = (death: Death): void => {
    events.onDeath?.(death);
    if (death.restartInMs === undefined) gaveUp.resolve(deathError(death));
  };
  return {
    byName,
    gaveUp: gaveUp.promise,
    start: async (spec) => {
      const log = await openChildLog(path.join(home, 'logs'), spec.name, (warning) => events.onWarning?.(warning));
      logs.push(log);
      byName.set(spec.name, supervise(spec, log, onDeath));
    },
    stop: async (phases) => {
      for (const phase of phases) await stopPhase(phase, byName, events);
      await closeLogs();
    },
    kill9: async () => {
      await Promise.all([...byName.values()].map((child) => child.kill9()));
      await closeLogs();
    },
  };
}

async function stopPhase(
  phase: StopPhase,
  byName: ReadonlyMap<string, SupervisedChild>,
  events: StackEvents,
): Promise<void> {
  const members = phase.names.flatMap((name) => byName.get(name) ?? []).filter((child) => child.pid !== undefined);
  if (members.length > 0) events.onPhase?.(phase.title);
  const stopOne = async (child: SupervisedChild): Promise<void> => {
    const beganAt = performance.now();
    const how = await child.stop(phase.limitMs);
    const seconds = ((performance.now() - beganAt) / 1000).toFixed(1);
    events.onPhase?.(
      how === 'stopped'
        ? `${child.name} stopped after ${seconds} s`
        : `${child.name} did not stop within ${phase.limitMs / 1000} s and was killed`,
    );
  };
  await Promise.all(members.map(stopOne));
  // The rest waits for its next attempt, or has given up: there is only the waiting to end.
  await Promise.all(phase.names.flatMap((name) => byName.get(name) ?? []).map((child) => child.kill9()));
}

function deathError(death: Death): DormouseError {
  return new DormouseError(
    'internal',
    `${death.name} ended again and again (${death.how}); its log is ${death.logFile}\n${death.tail.join('\n')}`,
    { details: { process: death.name, log: death.logFile } },
  );
}
