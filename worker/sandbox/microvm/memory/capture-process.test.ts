import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { until } from '../../../../shared/process/until.ts';
import { writePartInProcess } from './capture-process.ts';
import { applyMemoryPart, writeMemoryPart } from './memory-part.ts';
import { addPages, emptyPageSet } from './page-set.ts';
import { pageSizeBytes } from './page-stream.ts';

const signal = AbortSignal.timeout(120_000);
const sizeBytes = 600 * pageSizeBytes;

/** Those of this test, still there. */
async function captureProcesses(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  const textOf = (pid: string, what: string): Promise<string> =>
    readFile(`/proc/${pid}/${what}`, 'utf8').catch(() => ''); // it has ended
  const looks = pids.map(async (pid) => {
    const isOurs = (await textOf(pid, 'status')).includes(`PPid:\t${process.pid}\n`);
    return isOurs && (await textOf(pid, 'cmdline')).includes('capture-program');
  });
  const found = await Promise.all(looks);
  return pids.filter((_, index) => found[index]);
}

suite('a capture in a process of its own', () => {
  let folder: string;
  const file = (name: string): string => path.join(folder, name);
  before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'dormouse-capture-'))));
  after(() => rm(folder, { recursive: true }));

  test('the part is the one that is written here, candidates and pages below included', async () => {
    const base = randomBytes(sizeBytes);
    const memory = Buffer.from(base);
    randomBytes(pageSizeBytes * 300).copy(memory, pageSizeBytes * 100);
    await writeFile(file('base'), base);
    await writeFile(file('memory'), memory);
    const candidates = emptyPageSet(sizeBytes);
    addPages(candidates, 90, 330);
    const below = emptyPageSet(sizeBytes);
    addPages(below, 50, 60);
    const files = { memoryPath: file('memory'), basePath: file('base'), memorySizeBytes: sizeBytes };
    const source = { ...files, candidates, below };
    const here = await writeMemoryPart(source, file('here'), signal);
    const there = await writePartInProcess(source, file('there'), signal);
    assert.deepEqual({ ...there, path: here.path }, here);
    await writeFile(file('rebuilt'), base);
    await applyMemoryPart(file('there'), file('rebuilt'), sizeBytes, signal);
    assert.ok((await readFile(file('rebuilt'))).equals(memory));
  });

  test('a failure comes back as it was', async () => {
    const source = { memoryPath: file('nothing'), memorySizeBytes: sizeBytes };
    await assert.rejects(writePartInProcess(source, file('part'), signal), /nothing/);
  });

  test('whoever gives it up ends it', async () => {
    await using large = await open(file('large'), 'w');
    await large.truncate(64 * 1024 ** 3); // sparse; reading all of it takes longer than anybody waits here
    const given = new AbortController();
    const source = { memoryPath: file('large'), memorySizeBytes: 64 * 1024 ** 3 };
    const ended = assert.rejects(writePartInProcess(source, file('given-up'), given.signal), /given up/);
    await until(async () => (await captureProcesses()).length === 1, { signal, everyMs: 10, what: 'the process' });
    given.abort(new Error('given up'));
    await ended;
    assert.deepEqual(await captureProcesses(), []);
  });
});
