/**
 * Why an actor is in its state, what it waits for, until when, and what happens then, in words for people. Each state has
 * an answer; what holds up a wake (no room, nothing compatible) and what a lost node would cost are said before they happen.
 */
import { incompatibilities } from '../../shared/snapshot/manifest.ts';
import type { ActorRecord, NodeStatus, TemplateRecord } from '../../shared/registry/records.ts';
import { chooseNode } from './placement.ts';
import { placementOf } from './wake.ts';

export interface Surroundings {
  readonly nodes: readonly NodeStatus[];
  /** Undefined when it is gone. */
  readonly template: TemplateRecord | undefined;
  /** Calls of this api that wait for room for the actor. */
  readonly parkedCalls: number;
}

export interface Prospect {
  readonly waitsFor: string;
  readonly then: string;
}

export function explainState(record: ActorRecord, around: Surroundings): Prospect {
  const node = record.node ?? 'its node';
  const fallsBack = `it falls back to ${newest(record)} and sleeps; the next call wakes it from there`;
  switch (record.state) {
    case 'suspended':
      return { waitsFor: waitsForCall(around), then: whereItWakes(record, around) };
    case 'resuming':
      return { waitsFor: `${node}, which loads it${lease(record, around)}`, then: fallsBack };
    case 'running':
      return {
        waitsFor: `calls; without any for ${around.template?.spec.idleTimeoutMs ?? 'some'} ms it goes to sleep`,
        then: `${node} suspends it; should that node die first, it falls back to ${newest(record)}`,
      };
    case 'pausing':
      return { waitsFor: `${node}, which captures it${lease(record, around)}`, then: fallsBack };
    case 'paused':
      return {
        waitsFor: `${around.parkedCalls > 0 ? waitsForCall(around, node) : 'a call, a resume or a suspend'}${lease(record, around)}`,
        then: `it runs on from the capture on ${node}. Its state is on node ${node} only; if the node dies it falls back to ${newest(record)}`,
      };
    case 'suspending':
      return { waitsFor: `${node}, which commits a generation${lease(record, around)}`, then: fallsBack };
    case 'failed':
      return {
        waitsFor: 'somebody to mend the cause in `lastError`, then POST …/resume (retry)',
        then: `it is tried again from ${newest(record)}`,
      };
    case 'deleting':
      return { waitsFor: 'a node, which removes its objects', then: 'the job is sent again, to any live node' };
  }
}

const newest = ({ generation, durableAt }: ActorRecord): string =>
  generation === 0 ? 'generation 0, the golden of its template' : `generation ${generation} of ${durableAt}`;

function waitsForCall({ parkedCalls }: Surroundings, where = 'a node'): string {
  if (parkedCalls === 0) return 'a call, or a resume';
  return `room on ${where}: ${parkedCalls} ${parkedCalls === 1 ? 'call waits' : 'calls wait'} for it here`;
}

/** Says now what a call would run into. */
function whereItWakes(record: ActorRecord, { nodes, template }: Surroundings): string {
  const loads = `a node with room loads ${newest(record)}`;
  if (template === undefined) return `${loads}; now it could not: its template is gone`;
  const choice = chooseNode(nodes, placementOf({ record, template }));
  if (choice.node !== undefined) return `${loads} (now that would be ${choice.node.id})`;
  const words = Object.entries(choice.unfit).map(([id, { reason }]) => `${id}: ${reason}`);
  return `${loads}; now none could: ${words.length === 0 ? 'there are no nodes' : words.join(', ')}`;
}

/** What is wrong with the node that holds it, if anything. */
function lease({ node: id, runtime }: ActorRecord, { nodes }: Surroundings): string {
  const node = nodes.find((candidate) => candidate.id === id);
  if (node === undefined || node.leaseMs === 0) return '; that node is gone: the reaper ends it';
  const differences = runtime === undefined ? [] : incompatibilities(runtime, node.runtime);
  return differences.length === 0 ? '' : `; that node is incompatible: ${differences.join('; ')}`;
}
