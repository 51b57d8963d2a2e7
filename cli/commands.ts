/** Every command, in the order the help lists them. */
import type { Command } from './command.ts';
import { createActor } from './commands/create-actor.ts';
import { deleteActor, pauseActor, resumeActor, suspendActor } from './commands/change-actor.ts';
import { explainActor } from './commands/explain-actor.ts';
import { invoke } from './commands/invoke.ts';
import { listActors, listGenerations, showActor, waitForActor } from './commands/look-at-actors.ts';
import { drainNode, listNodes, undrainNode } from './commands/nodes.ts';
import { rebuild } from './commands/rebuild.ts';
import { status } from './commands/status.ts';
import { applyTemplate, deleteTemplate, listTemplates, showTemplate } from './commands/templates.ts';
import { watchEvents } from './commands/events.ts';

export const commands: readonly Command[] = [
  status,
  applyTemplate,
  listTemplates,
  showTemplate,
  deleteTemplate,
  createActor,
  listActors,
  showActor,
  explainActor,
  waitForActor,
  suspendActor,
  pauseActor,
  resumeActor,
  deleteActor,
  listGenerations,
  invoke,
  listNodes,
  drainNode,
  undrainNode,
  watchEvents,
  rebuild,
];
