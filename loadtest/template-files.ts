/** Template specifications from files, each applied under a name of this run so that it is prepared anew. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TemplateSpec } from '../sdk/templates.ts';
import { DormouseError } from '../shared/errors/dormouse-error.ts';
import type { Bench } from './scenarios/series.ts';
import type { Platform } from './target/dormouse.ts';

export interface PreparedTemplate {
  /** What the platform knows it as. */
  readonly name: string;
  /** What the report calls it: the name in the file. */
  readonly label: string;
  readonly file: string;
  readonly readyMs: number;
}

/** Fetching and unpacking a large image on a busy machine. */
const firstStartLimitMs = 600_000;

/** One after the other: preparations at the same time would be measured against each other. */
export async function prepareTemplateFiles(
  platform: Platform,
  bench: Bench,
  files: readonly string[],
  signal: AbortSignal,
): Promise<PreparedTemplate[]> {
  // All are read first: a typing error in the last one shall not come after minutes of work.
  const specifications = await Promise.all(files.map(readSpecification));
  const prepared: PreparedTemplate[] = [];
  for (const [index, specification] of specifications.entries()) {
    const known = prepared.filter(({ label }) => label.split(' #')[0] === specification.name).length;
    const label = known === 0 ? specification.name : `${specification.name} #${known + 1}`;
    bench.progress.doing(`preparing ${label}`);
    const began = performance.now();
    const name = await platform.made.template(specification, signal);
    await platform.client.templates.waitReady(name, { signal });
    const readyMs = performance.now() - began;
    await bringToEveryNode(platform, bench, name, signal);
    prepared.push({ name, label, file: path.basename(files[index] ?? ''), readyMs });
  }
  return prepared;
}

/** Wakes an actor of it on each node, so that no later start waits for the image: starts are compared, not downloads. */
async function bringToEveryNode(
  { client, made }: Platform,
  { target }: Bench,
  template: string,
  signal: AbortSignal,
): Promise<void> {
  for (const node of (await target.placement?.readyNodes(signal)) ?? []) {
    const actor = await made.actor(template, { coldStart: false }, signal);
    const { id } = await client.actors.resume(actor, { node, signal });
    await client.operations.wait(id, { signal, timeoutMs: firstStartLimitMs });
    await made.remove(actor);
  }
}

async function readSpecification(file: string): Promise<TemplateSpec> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    const isNamed = typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
    if (!isNamed) throw new Error('it has no name');
    return value as TemplateSpec;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new DormouseError('invalid-input', `--template-file ${file}: ${message}`, { cause });
  }
}
