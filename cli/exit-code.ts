/** What the command ends with, so that scripts can tell what happened. */
import { DormouseApiError } from '../sdk/api-error.ts';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  timeout: 4,
  unreachable: 5,
  interrupted: 130,
} as const;

const meanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.done, 'done'],
  [exitCodes.failed, 'it did not work'],
  [exitCodes.usage, 'the command line is wrong'],
  [exitCodes.notFound, 'what was named is not there'],
  [exitCodes.timeout, 'not in time'],
  [exitCodes.unreachable, 'the api did not answer'],
  [exitCodes.interrupted, 'Ctrl-C'],
];

const listed = [...meanings, ['*', '"exec" ends with the exit code of its program'] as const];

export const exitCodeText = [
  'Exit codes:',
  ...listed.map(([code, meaning]) => `  ${String(code).padEnd(4)} ${meaning}`),
].join('\n');

/** The same as Markdown. */
export const exitCodeTable = [
  '| code | meaning |',
  '|---|---|',
  ...listed.map(([code, meaning]) => `| ${code === '*' ? 'any' : code} | ${meaning} |`),
].join('\n');

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof DormouseApiError)) return exitCodes.failed;
  if (error.code === 'api-unreachable') return exitCodes.unreachable;
  if (error.status === 404 || error.code.endsWith('-not-found')) return exitCodes.notFound;
  if (error.status === 408 || error.status === 504 || error.code.endsWith('-timeout')) return exitCodes.timeout;
  return exitCodes.failed;
}
