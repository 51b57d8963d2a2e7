/**
 * `npm run assets -- assemble|verify|list|stage|update`: the command line of the asset sets. Progress goes to standard
 * error, the answer to standard output. Exit 1 on failure, 2 on a wrong command line.
 */
import { parseArgs } from 'node:util';
import {
  hostArchitecture,
  listAssetSets,
  openCurrentAssetSet,
  verifyCurrentAssetSet,
} from '../shared/assets/asset-folder.ts';
import { architectures, type Architecture } from '../shared/assets/asset-set.ts';
import { stageAssetSet } from '../shared/assets/ship-asset-set.ts';
import { stageZygote } from '../shared/assets/ship-zygote.ts';
import {
  listZygotes,
  readZygote,
  zygoteKey,
  zygotesFolder,
  type ZygoteMachine,
} from '../shared/assets/zygote-folder.ts';
import { errorCodes } from '../shared/errors/codes.ts';
import { DormouseError, toDormouseError } from '../shared/errors/dormouse-error.ts';
import { openObjectStore } from '../shared/object-store/open.ts';
import { assembleAssetSet, updatePins } from './assembly/assemble.ts';
import type { Place } from './assembly/place.ts';
import { readAssetsConfig, type AssetsConfig } from './config.ts';
import { findMirror } from './debian/apt-sources.ts';

const usage = `Usage: npm run assets -- <command> [options]

  assemble   make the asset set from the pinned Debian packages, unless it is there
  verify     read every file of the current set and of its zygotes
  list       show the sets in the folder, each with its zygotes
  stage      upload the current set and its zygotes to the object store, unless they are there
  update     pin the suite's current package versions

  --arch amd64|arm64|all   default: this machine's
  --store URL              object store of stage (default: DORMOUSE_STORE, else DORMOUSE_HOME/store)
  --dir DIR                folder of the sets (default: DORMOUSE_ASSETS, else DORMOUSE_HOME/assets)
`;

interface Call {
  readonly config: AssetsConfig;
  readonly place: Place;
  readonly architectures: readonly Architecture[];
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const progress = (message: string): void => void process.stderr.write(`assets: ${message}\n`);

const commands: Readonly<Record<string, (call: Call) => Promise<void>>> = {
  assemble: async ({ place, architectures: wanted }) => {
    for (const arch of wanted) {
      const { root } = await assembleAssetSet(place, arch);
      say(`${arch} ${root}`);
    }
  },
  verify: async ({ place, architectures: wanted }) => {
    for (const arch of wanted) {
      const { contents } = await verifyCurrentAssetSet(place.assetsDir, arch);
      say(`${arch} ${contents.digest} is whole: ${contents.files.length} files`);
      const folder = zygotesFolder(place.assetsDir);
      for (const { machine } of await listZygotes(folder, contents.digest)) {
        await readZygote(folder, zygoteKey(machine));
        say(`${arch} ${zygoteKey(machine)} is whole: ${zygoteWords(machine)}`);
      }
    }
  },
  list: async ({ place }) => {
    for (const { arch, digest, set } of await listAssetSets(place.assetsDir)) {
      const facts =
        set instanceof DormouseError
          ? set.message
          : `vmm ${set.contents.vmmVersion}, kernel ${set.contents.kernelRelease}, agent ${set.contents.agentVersion}`;
      say(`${arch} ${digest} ${facts}`);
      const zygotes = await listZygotes(zygotesFolder(place.assetsDir), digest);
      for (const { machine } of zygotes) say(`${arch} ${zygoteKey(machine)} ${zygoteWords(machine)}`);
    }
  },
  stage: async ({ config, place, architectures: wanted }) => {
    await using closing = new AsyncDisposableStack();
    const store = await openObjectStore(config.store);
    closing.defer(() => store.close());
    await store.check();
    for (const arch of wanted) {
      const { root } = await openCurrentAssetSet(place.assetsDir, arch);
      const onFile = (done: number, total: number): void => progress(`uploading the ${arch} set: ${done} of ${total}`);
      const { digest, uploaded } = await stageAssetSet(store, root, { onFile });
      say(`${arch} ${digest} ${uploaded ? 'uploaded to' : 'is already in'} ${store.description}`);
      const folder = zygotesFolder(place.assetsDir);
      for (const { machine } of await listZygotes(folder, digest)) {
        const outcome = await stageZygote(store, folder, machine);
        const words = outcome === 'uploaded' ? 'uploaded to' : 'is already in';
        say(`${arch} ${zygoteKey(machine)} ${zygoteWords(machine)} ${words} ${store.description}`);
      }
    }
  },
  update: async ({ place, architectures: wanted }) => {
    for (const arch of wanted) {
      const { contents } = await updatePins(place, arch);
      say(`${arch} pinned ${contents.packages.length} packages, set ${contents.digest}`);
    }
  },
};

const zygoteWords = ({ memoryMiB, vcpus, runtime }: ZygoteMachine): string =>
  `zygote of ${memoryMiB} MiB, ${vcpus} processor${vcpus === 1 ? '' : 's'}, ${runtime.accelerator}`;

function readCall(): { run: (call: Call) => Promise<void>; call: Call } | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { arch: { type: 'string' }, dir: { type: 'string' }, store: { type: 'string' } },
  });
  const [name, ...rest] = positionals;
  const run = name === undefined || !Object.hasOwn(commands, name) ? undefined : commands[name];
  const wanted = wantedArchitectures(values.arch);
  if (run === undefined || wanted === undefined || rest.length > 0) return undefined;
  const read = readAssetsConfig();
  const config = { ...read, assetsDir: values.dir ?? read.assetsDir, store: values.store ?? read.store };
  const place = { ...config, progress, findMirror: () => findMirror(config.mirror) };
  return { run, call: { config, place, architectures: wanted } };
}

function wantedArchitectures(arch: string | undefined): readonly Architecture[] | undefined {
  if (arch === 'all') return architectures;
  const known = architectures.find((name) => name === (arch ?? hostArchitecture()));
  return known && [known];
}

async function main(): Promise<number> {
  let asked;
  try {
    asked = readCall();
  } catch (error) {
    if (error instanceof DormouseError) throw error;
    progress(String(error));
  }
  if (asked === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  await asked.run(asked.call);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const { code, message } = toDormouseError(error);
  progress(`${message} (${code}). ${errorCodes[code].nextStep}`);
  process.exitCode = 1;
}
