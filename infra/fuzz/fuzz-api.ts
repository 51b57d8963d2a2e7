/**
 * Fuzzes a running api from its own description: schemathesis reads /openapi.json and sends what it allows, what it just
 * does not allow, and what nobody would send. A finding is an answer of 500, or none.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { installPythonPackage } from '../servers/python-package.ts';

export interface FuzzOptions {
  readonly url: string;
  /** Decides what is sent; in which order the operations take turns also depends on the answers. */
  readonly seed: number;
  /** Random requests to each operation, beyond every method of it and each parameter at and beyond its limits. */
  readonly examples: number;
  /** For reports and the tool's own files. */
  readonly folder: string;
  readonly token?: string;
}

export interface FuzzReport {
  readonly cases: number;
  readonly operations: number;
  readonly findings: number;
  /** The tool's words, with a curl line for each finding. */
  readonly words: string;
}

/**
 * Left out: answers that do not end by themselves, the call that takes the only nodes away from all others, and the one
 * that would have the api send requests to addresses made up by the tool.
 */
const leftOut = ['/v1/events', '/v1/actors/{id}/wait', '/v1/nodes/{id}/drain', '/v1/webhooks'];
/** Waking an actor under emulation takes seconds; an answer that takes longer than this hangs. */
const requestTimeoutSeconds = 40;
/** Making up requests takes the tool longer than answering them takes the api. */
const baseLimitMs = 120_000;
const limitPerExampleMs = 60_000;

const reportSchema = z.object({
  operations: z.object({ tested: z.number() }),
  test_cases: z.object({ generated: z.number(), unique_failures: z.number() }),
  errors: z.array(z.unknown()),
});

export async function fuzzApi(options: FuzzOptions): Promise<FuzzReport> {
  const tool = await installPythonPackage('schemathesis');
  const args = [
    ...['-m', 'schemathesis.cli', '--config-file', path.join(import.meta.dirname, 'schemathesis.toml')],
    ...['run', `${options.url}/openapi.json`, '--phases', 'coverage,fuzzing', '--checks', 'not_a_server_error'],
    ...leftOut.flatMap((route) => ['--exclude-path', route]),
    ...[
      '--seed',
      String(options.seed),
      '--max-examples',
      String(options.examples),
      '--continue-on-failure',
      '--no-shrink',
    ],
    // A busy machine is slow in making requests up; that is no finding.
    ...['--suppress-health-check', 'all'],
    ...['--request-timeout', String(requestTimeoutSeconds), '--report', 'json', '--report-dir', options.folder],
    ...(options.token === undefined ? [] : ['--header', `Authorization: Bearer ${options.token}`]),
  ];
  const ended = await execa('setpriv', ['--pdeathsig', 'KILL', '--', 'python3', ...args], {
    cwd: options.folder,
    env: { PYTHONPATH: tool, PYTHONDONTWRITEBYTECODE: '1', NO_COLOR: '1' },
    all: true,
    reject: false,
    timeout: baseLimitMs + options.examples * limitPerExampleMs,
  });
  const report = await readReport(options.folder, ended.all);
  const { test_cases: cases, errors, operations } = report;
  // The tool failing at an operation is no answer of the api, but it was not tested either.
  const findings = cases.unique_failures;
  if (errors.length > 0 || (ended.failed && findings === 0))
    throw new DormouseError('internal', `schemathesis failed:\n${ended.all}`);
  return { cases: cases.generated, operations: operations.tested, findings, words: ended.all };
}

async function readReport(folder: string, words: string): Promise<z.infer<typeof reportSchema>> {
  const name = (await readdir(folder)).find((file) => file.endsWith('.json'));
  if (name === undefined) throw new DormouseError('internal', `schemathesis wrote no report:\n${words}`);
  return reportSchema.parse(JSON.parse(await readFile(path.join(folder, name), 'utf8')));
}
