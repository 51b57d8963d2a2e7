#!/usr/bin/env node
/**
 * The command as npm installs it. The sources are TypeScript, which Node 24 runs as they are; an older Node hands over to
 * the one that comes with the project's packages, with the same arguments and the same terminal. `dormouse loadtest` is
 * another program of the project and is handed over to in the same way.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const isNewEnough = Number(process.versions.node.split('.')[0]) >= 24;
const words = process.argv.slice(2);

if (words[0] === 'loadtest') handOver('../loadtest/main.ts', words.slice(1));
else if (isNewEnough) await import('./main.ts');
else handOver('main.ts', words);

function handOver(program, programWords) {
  const main = path.join(path.dirname(fileURLToPath(import.meta.url)), program);
  const node = isNewEnough ? process.execPath : newerNode();
  // setpriv: whoever kills this process kills the command too.
  const command = ['--pdeathsig', 'KILL', '--', node, main, ...programWords];
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
