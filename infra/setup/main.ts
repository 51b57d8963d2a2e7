/**
 * The second part of the set-up, run by setup.sh with the project's own Node: what Dormouse makes for itself. With
 * `--test` also what only tests need. Exit code 1 with one explanation when a step fails.
 */
import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { architectures } from '../../shared/assets/asset-set.ts';
import { hostArchitecture } from '../../shared/assets/asset-folder.ts';
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { assetsFolder } from '../stack/config.ts';
import { testAssetsFolder } from '../test/environment.ts';
import { cacheFolder } from './asset-place.ts';
import { assetStep, pythonPackagesStep, serversStep, templatesStep } from './made-things.ts';
import { runSteps } from './steps.ts';

/** setup.sh did the machine, the Debian packages and node_modules. */
const stepsBefore = 3;

const print = (line: string): void => console.error(line);

try {
  const { values } = parseArgs({ options: { test: { type: 'boolean', default: false } } });
  await setUp(values.test);
} catch (error) {
  const [what, ...mend] = toDormouseError(error).message.split('\n');
  print(`[setup] FAILED: ${what ?? ''}`);
  for (const line of mend) print(`[setup]   ${line}`);
  process.exitCode = 1;
}

async function setUp(forTests: boolean): Promise<void> {
  const host = hostArchitecture();
  const assets = forTests ? testAssetsFolder(process.env) : assetsFolder(process.env);
  const others = forTests ? architectures.filter((arch) => arch !== host) : [];
  const steps = [
    assetStep(assets, host),
    templatesStep(),
    ...others.map((arch) => assetStep(assets, arch)),
    ...(forTests ? [serversStep(), pythonPackagesStep()] : []),
  ];
  await runSteps(steps, { first: stepsBefore + 1, total: stepsBefore + steps.length }, print);
  // From now on setup.sh asks for less free disk space.
  await writeFile(path.join(cacheFolder, 'setup-complete'), '');
}
