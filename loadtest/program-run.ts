/** For tests only: runs the load test's own program, as a process, against a stub of the platform. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { execa } from 'execa';
import { removeTree } from '../shared/process/remove-tree.ts';
import { resultSchema, type RunResult } from './result/result.ts';
import { startStubPlatform, type StubBehaviour } from './stub-platform.ts';

/** A start of Node on a busy machine takes seconds; a program that hangs must not hang the suite. */
const limitMs = 60_000;

export const start = (url: string, words: readonly string[]) =>
  execa(process.execPath, [path.join(import.meta.dirname, 'main.ts'), '--url', url, ...words], {
    reject: false,
    timeout: limitMs,
    extendEnv: false,
    env: { PATH: '/usr/bin:/bin' }, // for git; no setting of whoever runs the tests
  });

export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dormouse-loadtest-'));
  context.after(() => removeTree(folder, tmpdir()));
  return folder;
}

export async function platform(context: TestContext, behaviour: StubBehaviour = {}) {
  const stub = await startStubPlatform(behaviour);
  context.after(() => stub[Symbol.asyncDispose]());
  const file = path.join(await temporaryFolder(context), 'report.json');
  const run = async (...words: string[]) => {
    const { exitCode, stdout, stderr } = await start(stub.url, ['--json', file, ...words]);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    const report = text === undefined ? null : resultSchema.parse(JSON.parse(text));
    return { exitCode, stdout, stderr, report };
  };
  return { stub, run };
}

export function reported({
  report,
  stderr,
}: {
  readonly report: RunResult | null;
  readonly stderr: string;
}): RunResult {
  assert.ok(report, stderr);
  return report;
}
