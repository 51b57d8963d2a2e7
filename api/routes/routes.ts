/** Every route of the api. */
import type { ApiApp, RouteParts } from '../app.ts';
import { createRoute as createActor } from './actors/create.ts';
import { deleteRoute as deleteActor } from './actors/delete.ts';
import { execRoute as execInActor } from './actors/exec.ts';
import { explainRoute as explainActor } from './actors/explain.ts';
import { filesRoute as actorFiles } from './actors/files.ts';
import { generationsRoute as actorGenerations } from './actors/generations.ts';
import { getRoute as getActor } from './actors/get.ts';
import { listRoute as listActors } from './actors/list.ts';
import { logsRoute as actorLogs } from './actors/logs.ts';
import { pauseRoute as pauseActor } from './actors/pause.ts';
import { resumeRoute as resumeActor } from './actors/resume.ts';
import { suspendRoute as suspendActor } from './actors/suspend.ts';
import { waitRoute as waitForActor } from './actors/wait.ts';
import { rebuildRoute as rebuildRegistry } from './admin/rebuild.ts';
import { docsRoute } from './description/docs.ts';
import { errorRoute } from './description/error.ts';
import { openapiRoute } from './description/openapi.ts';
import { streamRoute as streamEvents } from './events/stream.ts';
import { liveRoute } from './health/live.ts';
import { metricsRoute } from './health/metrics.ts';
import { readyRoute } from './health/ready.ts';
import { drainRoute as drainNode } from './nodes/drain.ts';
import { listRoute as listNodes } from './nodes/list.ts';
import { undrainRoute as undrainNode } from './nodes/undrain.ts';
import { getRoute as getOperation } from './operations/get.ts';
import { applyRoute as applyTemplate } from './templates/apply.ts';
import { deleteRoute as deleteTemplate } from './templates/delete.ts';
import { getRoute as getTemplate } from './templates/get.ts';
import { listRoute as listTemplates } from './templates/list.ts';
import { createRoute as createWebhook } from './webhooks/create.ts';
import { deleteRoute as deleteWebhook } from './webhooks/delete.ts';
import { enableRoute as enableWebhook } from './webhooks/enable.ts';
import { getRoute as getWebhook } from './webhooks/get.ts';
import { listRoute as listWebhooks } from './webhooks/list.ts';
import { sendTestRoute as testWebhook } from './webhooks/send-test.ts';
import { createRoute as createToken } from './tokens/create.ts';
import { listRoute as listTokens } from './tokens/list.ts';
import { revokeRoute as revokeToken } from './tokens/revoke.ts';

export function registerRoutes(app: ApiApp, parts: RouteParts): void {
  for (const route of [openapiRoute, docsRoute, errorRoute, liveRoute]) route(app);
  const routes = [
    ...[applyTemplate, listTemplates, getTemplate, deleteTemplate],
    ...[createActor, listActors, getActor, waitForActor, explainActor, actorGenerations, deleteActor],
    ...[
      suspendActor,
      pauseActor,
      resumeActor,
      getOperation,
      listNodes,
      drainNode,
      undrainNode,
      streamEvents,
      readyRoute,
    ],
    ...[execInActor, actorFiles, actorLogs],
    ...[createToken, listTokens, revokeToken],
    rebuildRegistry,
    metricsRoute,
    ...[createWebhook, listWebhooks, getWebhook, enableWebhook, testWebhook, deleteWebhook],
  ];
  for (const route of routes) route(app, parts);
}
