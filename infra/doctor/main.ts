/**
 * `dormouse doctor`: whether this machine can run the platform, with the settings of the environment. It changes nothing.
 * Exit code 1 when something must be mended, 2 when the command line or a setting is wrong.
 */
import { parseArgs } from 'node:util';
import { toDormouseError } from '../../shared/errors/dormouse-error.ts';
import { readStackConfig } from '../stack/config.ts';
import { textOf, type Finding } from './finding.ts';
import { checkAssets, checkDisk, checkKvm, checkMemory, checkTools, checkTun, checkUser } from './machine-checks.ts';
import { checkPort, checkRedis, checkStore } from './service-checks.ts';

const usage = `dormouse doctor [options]

Checks whether this machine can run the platform, and says how to mend what is missing. Changes nothing.

  -o, --output FORMAT   table (default) or json
  -h, --help            this text

Example:
  dormouse doctor

Exit code: 0 nothing to mend, 1 something to mend, 2 a wrong command line or setting.
`;

async function examine(environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const config = readStackConfig(environment);
  const assets = await checkAssets(config.assets);
  const others = await Promise.all([
    checkKvm(config.assets),
    checkTun(),
    checkTools(environment['PATH'] ?? ''),
    checkDisk(config.home, assets.verdict === 'ok'),
    checkMemory(),
    checkRedis(config.redisUrl),
    checkStore(config.storeUrl),
    checkPort(config),
  ]);
  return [checkUser(), assets, ...others];
}

function readOptions(args: string[]): { readonly help: boolean; readonly json: boolean } {
  const options = {
    help: { type: 'boolean', short: 'h', default: false },
    output: { type: 'string', short: 'o', default: 'table' },
  } as const;
  const { values } = parseArgs({ args, options });
  if (!['table', 'json'].includes(values.output)) throw new Error(`--output is table or json, not ${values.output}`);
  return { help: values.help, json: values.output === 'json' };
}

try {
  const { help, json } = readOptions(process.argv.slice(2));
  if (help) {
    process.stdout.write(usage);
  } else {
    const findings = await examine(process.env);
    process.stdout.write(json ? `${JSON.stringify({ items: findings }, null, 2)}\n` : `${textOf(findings)}\n`);
    process.exitCode = findings.some(({ verdict }) => verdict === 'mend') ? 1 : 0;
  }
} catch (error) {
  process.stderr.write(`dormouse doctor: ${toDormouseError(error).message}\n`);
  process.exitCode = 2;
}
