#!/usr/bin/env node
/**
 * The command as npm installs it. The sources are TypeScript, which Node 24 runs as they are; an older Node hands over to
 * the one that comes with the project's packages, with the same arguments and the same terminal.
 *
 * Some commands are programs of their own: `dormouse fsck` needs the store and nothing else, for it must work when no api
 * does; `dormouse loadtest` measures the platform, or another one.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const major = Number(process.versions.node.split('.')[0]);

const programs = new Map([
  ['fsck', '../infra/fsck/main.ts'],
  ['loadtest', '../loadtest/main.ts'],
]);
const own = programs.get(process.argv[2]);
if (own !== undefined) process.argv.splice(2, 1);
const main = path.join(path.dirname(fileURLToPath(import.meta.url)), own ?? 'main.ts');

if (major >= 24) await import(main);
else handOver();

function handOver() {
  // setpriv: whoever kills this process kills the command too.
  const command = ['--pdeathsig', 'KILL', '--', newerNode(), main, ...process.argv.slice(2)];
  const child = spawn('setpriv', command, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function newerNode() {
  const name = `node-linux-${process.arch}`;
  try {
    return path.join(path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin/node');
  } catch {
    return fail(`Node 24 is needed, and the package ${name} that brings it is not installed: run "npm ci" first.`);
  }
}

function fail(message) {
  console.error(`dormouse: ${message}`);
  process.exit(1);
}
