/**
 * What a node holds for an actor that is paused on it: the capture in files of its own, and the table of them. The table
 * owns the files. They are not durable: a node that starts anew clears its folders, and its paused actors fall back to
 * their last generation (node/recover.ts).
 */
import { stat } from 'node:fs/promises';
import type { Epoch } from '../../shared/actor/epoch.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { TemplateDescriptor } from '../../shared/template/golden.ts';
import type { Capture, Identity } from '../sandbox/sandbox.ts';

/** A capture with all that a commit of it needs. Disposing it removes its files. */
export interface LocalCapture extends AsyncDisposable {
  readonly identity: Identity;
  /** Of the activation it was taken from: names it in the registry's record. */
  readonly epoch: Epoch;
  readonly template: TemplateDescriptor;
  readonly base: { readonly path: string; readonly sha256: string } | undefined;
  readonly capture: Capture;
  readonly capturedAt: string;
}

export interface CaptureTable {
  /** The capture of this activation, and of no other one of the actor. */
  get(actorId: string, epoch: Epoch | undefined): LocalCapture | undefined;
  add(capture: LocalCapture): void;
  /** Takes it out and removes its files. Harmless when it is not there any more. */
  drop(capture: LocalCapture): Promise<void>;
  all(): readonly LocalCapture[];
}

export function createCaptureTable(): CaptureTable {
  const table = new Set<LocalCapture>();
  return {
    get: (actorId, epoch) => [...table].find((held) => held.identity.id === actorId && held.epoch === epoch),
    add: (capture) => void table.add(capture),
    async drop(capture) {
      if (table.delete(capture)) await capture[Symbol.asyncDispose]();
    },
    all: () => [...table],
  };
}

/** Throws `snapshot-missing` or `snapshot-corrupt` unless the files are there and of the size they were written with. */
export async function requireIntact({ capture, identity }: LocalCapture): Promise<void> {
  for (const part of [capture.memory, capture.device]) {
    const found = await stat(part.path).catch(() => undefined);
    if (found?.size === part.sizeBytes) continue;
    const code = found === undefined ? 'snapshot-missing' : 'snapshot-corrupt';
    throw new DormouseError(code, `the capture that ${identity.id} was paused with is damaged on ${identity.node}`, {
      details: { path: part.path, expectedBytes: part.sizeBytes, actualBytes: found?.size },
    });
  }
}
