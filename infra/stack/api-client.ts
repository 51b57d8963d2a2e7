/**
 * The few calls that the stack makes to its own api, through the public routes only: is it ready, are the nodes there,
 * apply a template and wait for it. Failure: `deadline-exceeded` with the last answer, or what the api itself said.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

/** One answer of an api on the same machine; longer means that it hangs. */
const callLimitMs = 10_000;
const pollIntervalMs = 100;

export interface ApiClient {
  readonly url: string;
  readonly token: string | undefined;
}

/** The body of POST /v1/templates; the api checks it. */
export interface TemplateSpecification extends Readonly<Record<string, unknown>> {
  readonly name: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const nodesSchema = z.looseObject({
  items: z.array(z.looseObject({ id: z.string(), startedAt: z.coerce.date(), leaseMs: z.number() })),
});
const templateSchema = z.looseObject({ state: z.string(), error: z.looseObject({ message: z.string() }).nullish() });
const problemSchema = z.looseObject({ title: z.string(), detail: z.string().optional(), code: z.string().optional() });

/** Returns when the api is ready and every named node has registered since `began`: an older record is a dead worker's. */
export async function waitUntilReady(
  api: ApiClient,
  nodes: readonly string[],
  began: Date,
  signal: AbortSignal,
): Promise<void> {
  await until(`the api at ${api.url} and the nodes ${nodes.join(', ')}`, signal, async () => {
    const ready = await call(api, 'GET', '/readyz', signal);
    if (ready.status !== 200)
      return { waitingFor: `GET /readyz answers ${ready.status}: ${JSON.stringify(ready.body)}` };
    const listed = nodesSchema.safeParse((await call(api, 'GET', '/v1/nodes', signal)).body);
    const alive = listed.data?.items.filter((node) => node.leaseMs > 0 && node.startedAt >= began);
    const present = new Set(alive?.map((node) => node.id));
    const absent = nodes.filter((node) => !present.has(node));
    return absent.length === 0 ? 'done' : { waitingFor: `not registered yet: ${absent.join(', ')}` };
  });
}

/**
 * Applies a template (again: the same specification changes nothing) and returns when every node can start it. One of its
 * name that an earlier version of ours made in the same home stays as it is: actors are made of it.
 */
export async function applyTemplate(
  api: ApiClient,
  specification: TemplateSpecification,
  signal: AbortSignal,
  onState: (state: string) => void = () => undefined,
): Promise<void> {
  const applied = await call(api, 'POST', '/v1/templates', signal, specification);
  const isKept = problemSchema.safeParse(applied.body).data?.code === 'template-conflict';
  if (applied.status !== 200 && applied.status !== 201 && !isKept) {
    throw refused(`template ${specification.name}`, applied);
  }
  if (isKept) onState('kept as it was applied before, with another specification');
  let last = '';
  await until(`template ${specification.name} to become ready`, signal, async () => {
    const answer = await call(api, 'GET', `/v1/templates/${specification.name}`, signal);
    const template = templateSchema.safeParse(answer.body);
    if (!template.success) return { waitingFor: `GET answers ${answer.status}` };
    const { state, error } = template.data;
    if (state === 'failed') {
      throw new DormouseError(
        'template-failed',
        `template ${specification.name}: ${error?.message ?? 'no reason given'}`,
      );
    }
    if (state !== last) onState((last = state));
    return state === 'ready' ? 'done' : { waitingFor: `state ${state}` };
  });
}

async function until(
  what: string,
  signal: AbortSignal,
  look: () => Promise<'done' | { readonly waitingFor: string }>,
): Promise<void> {
  let last = 'nothing answered';
  for (;;) {
    const found = await look().catch((error: unknown) => {
      if (error instanceof DormouseError) throw error;
      return { waitingFor: error instanceof Error ? error.message : String(error) };
    });
    if (found === 'done') return;
    // A call cut off by our own deadline says nothing about the other side: the answer before it does.
    if (!signal.aborted) last = found.waitingFor;
    await delay(pollIntervalMs, undefined, { signal }).catch((cause: unknown) => {
      if (signal.reason instanceof DormouseError) throw signal.reason;
      throw new DormouseError('deadline-exceeded', `waited in vain for ${what} (${last})`, { cause });
    });
  }
}

async function call(api: ApiClient, method: string, path: string, signal: AbortSignal, body?: object): Promise<Answer> {
  const headers = {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(api.token === undefined ? {} : { authorization: `Bearer ${api.token}` }),
  };
  const response = await fetch(api.url + path, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.any([signal, AbortSignal.timeout(callLimitMs)]),
  });
  const text = await response.text();
  return { status: response.status, body: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function refused(what: string, answer: Answer): DormouseError {
  const problem = problemSchema.safeParse(answer.body);
  const words = problem.success ? `${problem.data.title}: ${problem.data.detail ?? ''}` : JSON.stringify(answer.body);
  return new DormouseError('internal', `the api refused ${what} (${answer.status}): ${words}`);
}
