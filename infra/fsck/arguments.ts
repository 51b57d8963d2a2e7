/** The command line of fsck. Failure: `invalid-configuration` in words for the user. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { readEnvironment } from '../../shared/config/environment.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { defaultGraceMs } from '../../shared/fsck/garbage.ts';

export interface FsckArguments {
  readonly storeUrl: string;
  readonly json: boolean;
  /** Live objects are listed too. */
  readonly all: boolean;
  readonly repair: boolean;
  readonly graceMs: number;
}

export const usage = `npm run fsck -- [options]    or    dormouse fsck [options]

Looks at every object of the store and reads all that are in use.

  --store URL     file:///dir, s3://… or gs://…; default: DORMOUSE_STORE, then the store below DORMOUSE_HOME
  --json          every object and the summary as one JSON document
  --all           list live objects too
  --repair        remove orphans that are older than the grace period, and nothing else
  --grace-ms N    the grace period; default ${defaultGraceMs} (one hour)
  --help          this text

Exit code: 0 no damage, 1 objects are missing or corrupt, 2 wrong usage or a store that cannot be read.
`;

type Environment = Readonly<Record<string, string | undefined>>;

export function readFsckArguments(args: string[], environment: Environment): FsckArguments | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  return {
    storeUrl: values.store ?? configuredStore(environment),
    json: values.json,
    all: values.all,
    repair: values.repair,
    graceMs: graceOf(values['grace-ms']),
  };
}

function parse(args: string[]) {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  const options = { store: text, json: flag, all: flag, repair: flag, 'grace-ms': text, help: flag } as const;
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new DormouseError('invalid-configuration', `${words}\n\n${usage}`, { cause });
  }
}

function configuredStore(environment: Environment): string {
  const read = readEnvironment(environment, 'DORMOUSE_HOME', 'DORMOUSE_STORE');
  return read.DORMOUSE_STORE ?? pathToFileURL(path.join(read.DORMOUSE_HOME, 'store')).href;
}

function graceOf(text: string | undefined): number {
  if (text === undefined) return defaultGraceMs;
  if (/^[0-9]{1,12}$/.test(text)) return Number(text);
  throw new DormouseError('invalid-configuration', `--grace-ms ${text}: a whole number of milliseconds`);
}
