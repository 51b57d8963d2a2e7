/** What is noted of webhooks in Redis: how far the deliveries of each have come, and when the list of them changed. */
import { randomUUID } from 'node:crypto';
import type { Registry } from '../../shared/registry/registry.ts';
import { webhookProgressSchema, type WebhookProgress } from './webhook.ts';

type Notes = Pick<Registry, 'readNote' | 'writeNote'>;

const noteOf = (id: string): string => `webhook:${id}`;

export async function readProgress(registry: Notes, id: string): Promise<WebhookProgress | undefined> {
  const text = await registry.readNote(noteOf(id));
  return text === undefined ? undefined : webhookProgressSchema.parse(JSON.parse(text));
}

export const writeProgress = (registry: Notes, id: string, progress: WebhookProgress): Promise<void> =>
  registry.writeNote(noteOf(id), JSON.stringify(progress));

export const dropProgress = (registry: Notes, id: string): Promise<void> => registry.writeNote(noteOf(id), undefined);

const listNote = 'webhooks';

/** The list in the store is another one now: whoever delivers reads it again. */
export const noteNewList = (registry: Notes): Promise<void> => registry.writeNote(listNote, randomUUID());

/** Differs from the last one after each change. */
export const listVersion = (registry: Notes): Promise<string | undefined> => registry.readNote(listNote);
