/**
 * The counter as a Node.js program: a count in memory, a count in a file of its root file system, a nonce made at start.
 * It answers /, /healthz, /warm-up, /identity, /random, /time, /files and /files/check as the Go counter (../counter) does.
 * Environment: COUNTER_PORT (8080), COUNTER_DIR (/var/lib/counter).
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import path from 'node:path';
import { URL } from 'node:url';

const folder = process.env.COUNTER_DIR ?? '/var/lib/counter';
const countFile = path.join(folder, 'count');
const lower = (name) => path.join(folder, 'lower', name);

const nonce = randomBytes(16).toString('hex');
const startedAt = new Date().toISOString();
let memory = 0;
let lastWrite = Promise.resolve(0);

await mkdir(folder, { recursive: true });
// What is done before a program is ready is done once for all actors, and a folder's first write costs more than any other.
await writeFile(countFile, '0\n', { flag: 'wx' }).catch(ignoreExisting);

/** Each call's read and write follow those of the call before it. */
function increment(by) {
  const counted = lastWrite.catch(() => undefined).then(() => incrementFile(by));
  lastWrite = counted;
  return counted;
}

async function incrementFile(by) {
  const text = await readFile(countFile, 'utf8').catch(ignoreMissing);
  const count = Number(text ?? '0') + by;
  if (!Number.isInteger(count)) throw new Error(`${countFile} does not hold a number`);
  await writeFile(countFile, `${count}\n`);
  return count;
}

function ignoreMissing(error) {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

function ignoreExisting(error) {
  if (error.code !== 'EEXIST') throw error;
}

async function urandom() {
  const device = await open('/dev/urandom');
  try {
    const { buffer } = await device.read(Buffer.alloc(32), 0, 32);
    return buffer.toString('hex');
  } finally {
    await device.close();
  }
}

async function changeFiles() {
  await rm(lower('delete-me'), { force: true });
  await rename(lower('rename-me'), lower('renamed')).catch(ignoreMissing);
  await writeFile(lower('overwrite-me'), 'overwritten by the actor\n');
  return filesState();
}

async function filesState() {
  const names = ['delete-me', 'rename-me', 'renamed', 'overwrite-me', 'keep-me'];
  const contents = names.map((name) => readFile(lower(name), 'utf8').catch(ignoreMissing));
  return Object.fromEntries((await Promise.all(contents)).map((content, index) => [names[index], content ?? null]));
}

const routes = {
  '/healthz': () => ({ ok: true }),
  // Runs what a counted call runs, and changes nothing.
  '/warm-up': (pathname) => count(pathname, 0),
  '/identity': async () => JSON.parse(await readFile('/run/dormouse/actor.json', 'utf8')),
  '/random': async () => ({ random: await urandom(), getrandom: randomBytes(32).toString('hex') }),
  '/time': () => ({ unixMs: Date.now() }),
  '/files': changeFiles,
  '/files/check': filesState,
};

async function count(pathname, by = 1) {
  const file = await increment(by);
  memory += by;
  return { memory, file, nonce, path: pathname, hostname: hostname(), startedAt };
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://counter');
  response.setHeader('content-type', 'application/json');
  try {
    const body = await (routes[pathname] ?? count)(pathname);
    response.end(JSON.stringify(body) + '\n');
  } catch (error) {
    response.statusCode = error.code === 'ENOENT' ? 404 : 500;
    response.end(JSON.stringify({ error: error.message }) + '\n');
  }
});

// As the first process of a container nothing ends it by default.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
server.listen(Number(process.env.COUNTER_PORT ?? 8080), () =>
  console.log(`counter: listening on ${server.address().port}`),
);
