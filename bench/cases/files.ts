/**
 * The way to the files of an image: a Node.js program started from an image of 100 MB and a walk over 20,000 files, on raw
 * VMs that differ in how virtiofsd is set up. Each round of each begins with the same golden: what a clone
 * finds, what it finds again, what its sleep costs after that, and what is still there after the wake.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { makeImageOfFiles, manyFilesFolder } from '../../e2e/large-image.ts';
import { builtTemplates } from '../../infra/stack/bundled-templates.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { removeTree } from '../../shared/process/remove-tree.ts';
import type { Bench } from '../bench.ts';
import type { TemplateName } from '../config.ts';
import { rawActorOf, type RawActor } from '../raw/actor.ts';
import { tunedGuest, type RawGuest } from '../raw/guest.ts';
import type { Tuning } from '../raw/machine.ts';
import { alternate, type Step } from '../rounds.ts';

const [manyFiles, quickFiles] = [20_000, 500];
const mebibyte = 2 ** 20;
const blockBytes = 512;

/** A life takes a minute under emulation, and differs little from the next. */
const lifeRounds = 5;
/** A boot takes long, and says little about files. */
const bootRounds = 2;

/** The first is what all others are compared with. */
const variants: Readonly<Record<string, Tuning>> = {
  'cache auto': { cache: 'auto' },
  'cache always': { cache: 'always' },
  'cache always, 4 threads': { cache: 'always', threadPool: 4 },
};

export async function measureFiles(bench: Bench, template: TemplateName): Promise<void> {
  if (template !== 'node-counter') return; // it alone has a large image and an interpreter to walk with
  await using resources = new AsyncDisposableStack();
  const guest = resources.use(await openGuestOfFiles(bench, resources));
  const actors: [string, RawActor][] = [];
  for (const [name, tuning] of Object.entries(variants)) {
    bench.say(`files: booting ${name}`);
    const mine = tunedGuest(guest, String(actors.length), tuning);
    const actor = resources.use(await rawActorOf(mine, bench.signal));
    actors.push([`${template} files, ${name}`, actor]);
    await recordGolden(bench, `${template} files, ${name}`, mine);
  }
  const steps = (stepOf: (bench: Bench, label: string, actor: RawActor) => Step): Step[] =>
    actors.map(([label, actor]) => stepOf(bench, label, actor));
  const atMost = (rounds: number): number => Math.min(rounds, bench.settings.rounds);
  await alternate(bench, 'files', steps(lifeStep), atMost(lifeRounds));
  await alternate(bench, 'first starts from many files', steps(firstStep), atMost(bootRounds));
}

async function openGuestOfFiles(bench: Bench, resources: AsyncDisposableStack): Promise<RawGuest & AsyncDisposable> {
  const folder = await mkdtemp(`${tmpdir()}/dm-files-`);
  resources.defer(() => removeTree(folder, tmpdir()));
  const spec = (await builtTemplates(['node-counter']))['node-counter']?.spec;
  const [container] = spec?.containers ?? [];
  if (spec === undefined || container === undefined) throw new DormouseError('internal', 'node-counter was not built');
  const base = container.image.split(':')[1] ?? '';
  const image = await makeImageOfFiles(folder, base, fileCount(bench));
  return bench.rawGuest('files', { ...spec, containers: [{ ...container, image }] });
}

const fileCount = ({ settings }: Bench): number => (settings.quick ? quickFiles : manyFiles);

async function recordGolden({ figures }: Bench, label: string, { golden }: RawGuest): Promise<void> {
  figures.add(`${label}, golden`, 'MiB', ((await stat(golden.memory)).blocks * blockBytes) / mebibyte);
  figures.add(`${label}, golden packed`, 'MiB', (await packedBytes(golden.memory)) / mebibyte);
}

async function packedBytes(file: string): Promise<number> {
  let bytes = 0;
  const packing = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  await pipeline(
    createReadStream(file, { highWaterMark: mebibyte }),
    packing,
    async (packed: AsyncIterable<Buffer>) => {
      for await (const piece of packed) bytes += piece.length;
    },
  );
  return bytes;
}

const firstStep = (bench: Bench, label: string, actor: RawActor): Step => ({
  name: `${label}, first start`,
  async run(signal) {
    const { phases } = await actor.boot(signal);
    bench.figures.add(`${label}, first start`, 'ms', phases['containers'] ?? Number.NaN);
  },
});

/** One life from the golden on: programs and walks before and after a sleep. */
function lifeStep(bench: Bench, label: string, actor: RawActor): Step {
  const { figures } = bench;
  const add = (what: string, ms: number): void => figures.add(`${label}, ${what}`, 'ms', ms);
  const expected = fileCount(bench);
  return {
    name: label,
    async run(signal) {
      await actor.startOver();
      add('wake', (await actor.wake('pooled', signal)).firstAnswerMs);
      add('node start', await timedNode(actor, signal));
      add('node start again', await timedNode(actor, signal));
      add('walk', await walk(actor, expected, signal));
      add('walk again', await walk(actor, expected, signal));
      const { frozenMs, bytes, snapshot } = await actor.suspend(signal);
      add('frozen after walks', frozenMs);
      figures.add(`${label}, bytes after walks`, 'bytes', bytes);
      figures.add(`${label}, device state after walks`, 'bytes', (await stat(snapshot.device)).size);
      add('wake after walks', (await actor.wake('pooled', signal)).firstAnswerMs);
      add('walk after wake', await walk(actor, expected, signal));
      await actor.suspend(signal);
    },
  };
}

async function timedNode(actor: RawActor, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  await actor.run(['/usr/bin/node', '-e', '0'], signal);
  return performance.now() - began;
}

/** Reads folders, asks each file for its size, and reads one in ten. Says how many there are and what they add up to. */
const walker = `
  const { readdirSync, readFileSync, statSync } = require('node:fs');
  const began = performance.now();
  let [files, bytes, wrong] = [0, 0, 0];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const name = folder + '/' + entry.name;
      if (entry.isDirectory()) { walk(name); continue; }
      files++;
      bytes += statSync(name).size;
      const number = parseInt(entry.name, 10);
      if (number % 10 === 0 && readFileSync(name, 'utf8') !== 'file ' + number + '\\n') wrong++;
    }
  };
  walk(process.argv[1]);
  console.log(JSON.stringify({ ms: performance.now() - began, files, wrong }));
`;

/** Milliseconds by the guest's own clock: the start of the program that walks is not in them. */
async function walk(actor: RawActor, expected: number, signal: AbortSignal): Promise<number> {
  const printed = await actor.run(['/usr/bin/node', '-e', walker, manyFilesFolder], signal);
  const { ms, files, wrong } = JSON.parse(printed) as { ms: number; files: number; wrong: number };
  if (files === expected && wrong === 0) return ms;
  throw new DormouseError(
    'internal',
    `the walk found ${files} files of ${expected}, and ${wrong} with a wrong content`,
  );
}
