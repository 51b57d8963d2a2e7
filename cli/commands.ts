/** Every command, in the order the help lists them. */
import type { Command } from './command.ts';
import { completionOf } from './commands/completion.ts';
import { copy } from './commands/cp.ts';
import { createActor } from './commands/create-actor.ts';
import { deleteActor, pauseActor, resumeActor, suspendActor } from './commands/change-actor.ts';
import { execInActor } from './commands/exec.ts';
import { explainActor } from './commands/explain-actor.ts';
import { invoke } from './commands/invoke.ts';
import { listActors, listGenerations, showActor, waitForActor } from './commands/look-at-actors.ts';
import { showLogs } from './commands/logs.ts';
import { drainNode, listNodes, undrainNode } from './commands/nodes.ts';
import { rebuild } from './commands/rebuild.ts';
import { status } from './commands/status.ts';
import { applyTemplate, deleteTemplate, listTemplates, showTemplate } from './commands/templates.ts';
import { createToken, listTokens, revokeToken } from './commands/tokens.ts';
import { watchEvents } from './commands/events.ts';
import {
  createWebhook,
  deleteWebhook,
  enableWebhook,
  listWebhooks,
  showWebhook,
  testWebhook,
} from './commands/webhooks.ts';

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
  execInActor,
  showLogs,
  // What is asked most, without a word too many.
  { ...explainActor, name: 'explain', example: 'dormouse explain alice' },
  { ...waitForActor, name: 'wait', example: 'dormouse wait alice --state suspended --timeout 120' },
  copy,
  listNodes,
  drainNode,
  undrainNode,
  watchEvents,
  createWebhook,
  listWebhooks,
  showWebhook,
  enableWebhook,
  testWebhook,
  deleteWebhook,
  createToken,
  listTokens,
  revokeToken,
  rebuild,
  completionOf(() => commands),
];
