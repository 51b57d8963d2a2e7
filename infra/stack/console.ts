/** What the stack says to people on the console. Everything else is in the log files. */
import { styleText } from 'node:util';
import type { Death } from './supervise.ts';
import type { DecidedConfig } from './processes.ts';

const mark = (sign: string, color: 'cyan' | 'yellow' | 'red' | 'green'): string =>
  styleText(color, sign, { stream: process.stdout });

export const print = (line: string): void => console.log(line);
export const printPhase = (line: string): void => print(`${mark('•', 'cyan')} ${line}`);
export const printWarning = (line: string): void => print(`${mark('!', 'yellow')} ${line}`);
export const printFailure = (line: string): void => console.error(`${mark('✗', 'red')} ${line}`);

/** A death is rare and its reason is in the last lines: show them. */
export function printDeath({ name, how, tail, logFile, restartInMs }: Death): void {
  const next =
    restartInMs === undefined
      ? 'it failed too often and is not started again'
      : `starting it again in ${restartInMs} ms`;
  printWarning(`${name} ended (${how}); ${next}. Last lines of ${logFile}:`);
  for (const line of tail) print(`    ${line}`);
}

export function welcome(url: string, config: DecidedConfig, nodes: readonly string[]): string {
  const token = config.token === undefined ? '' : ` -H "authorization: Bearer $DORMOUSE_TOKEN"`;
  const bold = (text: string) => styleText('bold', text, { stream: process.stdout });
  return [
    '',
    `${mark('✓', 'green')} Dormouse is up: ${bold(url)} (nodes: ${nodes.join(', ')})`,
    '',
    '  Create an actor, then call it; leave it alone and it falls asleep, call it again and it wakes:',
    '',
    `    curl${token} -H 'content-type: application/json' -d '{"id":"alice","template":"counter"}' ${url}/v1/actors`,
    `    curl -i${token} ${url}/v1/actors/alice/invoke/`,
    '',
    `  Dashboard        ${url}/`,
    `  API description  ${url}/openapi.json`,
    `  State and logs   ${config.home}`,
    '  Stop             Ctrl-C (suspends every actor first)',
    '',
  ].join('\n');
}
