/** Any failure in words: what happened, which field, what the guest said, and how to find it in the logs. */
import { DormouseApiError } from '../sdk/api-error.ts';
import { withoutControls } from './table.ts';

export function describeFailure(error: unknown): string {
  if (!(error instanceof DormouseApiError)) return error instanceof Error ? error.message : String(error);
  return [
    `${error.message} (${error.code})`,
    // The api's own sentence often names the fields already.
    ...error.errors
      .map((entry) => `${entry.field === '' ? '(request)' : entry.field}: ${entry.message}`)
      .filter((line) => !error.message.includes(line))
      .map((line) => `  ${line}`),
    ...Object.entries(error.details).map(([name, value]) => `  ${name}: ${detail(value)}`),
    ...advice(error),
  ].join('\n');
}

/** Logs keep their lines, everything else is short. */
const detail = (value: unknown): string =>
  typeof value === 'string'
    ? value.trimEnd().split('\n').map(withoutControls).join('\n    ')
    : withoutControls(JSON.stringify(value));

function advice(error: DormouseApiError): string[] {
  if (error.code === 'api-unreachable') return ['  Start Dormouse with "npm start", or name its address with --url.'];
  if (error.code === 'unauthorized') return ['  Set DORMOUSE_TOKEN to the token that the api was started with.'];
  return [
    ...(error.nextStep === undefined ? [] : [`  ${error.nextStep}`]),
    ...(error.retryAfterMs === undefined ? [] : [`  try again in ${error.retryAfterMs} ms`]),
    ...(error.requestId === undefined ? [] : [`  request ${error.requestId}`]),
  ];
}
