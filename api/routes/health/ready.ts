/** GET /readyz: whether calls can be served, and what is missing if not. */
import { z } from 'zod';
import type { ApiApp, RouteParts } from '../../app.ts';
import { isLive } from '../../scheduler/placement.ts';

/** The store's check writes and reads, so it is not made for every probe. */
const storeCheckTtlMs = 5000;
const checkLimitMs = 5000;

const checkSchema = z.object({ ok: z.boolean(), detail: z.string().optional() });
const readySchema = z.object({
  status: z.enum(['ready', 'not-ready']),
  missing: z.array(z.string()),
  redis: checkSchema,
  store: checkSchema,
  nodes: checkSchema,
});
type Check = z.infer<typeof checkSchema>;

export function readyRoute(app: ApiApp, parts: RouteParts): void {
  const store = remembered(() => verdict(parts.store.check({ signal: AbortSignal.timeout(checkLimitMs) })));
  app.get(
    '/readyz',
    {
      schema: { tags: ['health'], summary: 'Ready to serve calls', response: { 200: readySchema, 503: readySchema } },
    },
    async (_request, reply) => {
      const stopping: Check = { ok: false, detail: 'the api is stopping' };
      const checks = {
        redis: parts.stopping.aborted ? stopping : await verdict(requireIncarnation(parts)),
        store: await store(),
        nodes: await verdict(requireNode(parts)),
      };
      const missing = Object.entries(checks).flatMap(([name, { ok }]) => (ok ? [] : [name]));
      const ready = missing.length === 0;
      void reply.code(ready ? 200 : 503);
      return { status: ready ? ('ready' as const) : ('not-ready' as const), missing, ...checks };
    },
  );
}

/** Without one no actor can be claimed: it comes from the store, so it may be late. */
async function requireIncarnation({ registry }: RouteParts): Promise<void> {
  if ((await registry.incarnation()) === 0) throw new Error('the registry has no incarnation yet');
}

async function requireNode({ registry }: RouteParts): Promise<void> {
  const nodes = await registry.listNodes();
  if (!nodes.some((node) => isLive(node) && node.state === 'ready')) throw new Error('no live node takes actors');
}

const verdict = (check: Promise<unknown>): Promise<Check> =>
  check.then(
    () => ({ ok: true }),
    (error: unknown) => ({ ok: false, detail: error instanceof Error ? error.message : String(error) }),
  );

/** Only one check at a time, and its verdict for a while. */
function remembered(check: () => Promise<Check>): () => Promise<Check> {
  let last: { readonly until: number; readonly verdict: Promise<Check> } | undefined;
  return () => {
    if (last === undefined || last.until < performance.now()) {
      last = { until: performance.now() + storeCheckTtlMs, verdict: check() };
    }
    return last.verdict;
  };
}
