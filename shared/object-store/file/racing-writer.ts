/** For driver.test.ts: a process that creates each key it is told on standard input, with its pid as content. */
import { createInterface } from 'node:readline';
import { openObjectStore } from '../open.ts';

const store = await openObjectStore(`file://${process.argv[2] ?? ''}`);
process.stdout.write('ready\n');
for await (const key of createInterface(process.stdin)) {
  const outcome = await store.create(key, { kind: 'bytes', bytes: Buffer.from(String(process.pid)) });
  process.stdout.write(`${outcome}\n`);
}
