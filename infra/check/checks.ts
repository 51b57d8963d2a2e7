/** The checks of the project. Each is a tool with arguments, or a function of ours that returns what it found. */
import { execa } from 'execa';
import { staleGeneratedFiles } from './generated-code.ts';
import { goEnvironment } from '../setup/go-environment.ts';
import { goModules } from './go-modules.ts';
import { repositoryRoot, trackedFiles } from './tracked-files.ts';
import { checkWords } from './words.ts';

/** The slowest tool takes a fraction of this on two busy cores; longer means that it hangs. */
const limitMs = 600_000;

export interface Check {
  readonly name: string;
  /** What is wrong, in the words of the tool; empty when nothing is. */
  run(): Promise<string>;
}

/** The slow ones first, so that the quick ones fill the other core. */
export const checks: readonly Check[] = [
  { name: 'lint', run: () => tool('eslint', '.', '--max-warnings=0') },
  { name: 'types', run: () => tool('tsc', '--project', '.') },
  { name: 'types of the dashboard', run: () => tool('tsc', '--project', 'api/dashboard/page') },
  { name: 'go vet', run: vetGo },
  { name: 'generated code', run: checkGenerated },
  { name: 'unused', run: () => tool('knip', '--no-progress', '--treat-config-hints-as-errors') },
  { name: 'import rules', run: checkImports },
  { name: 'format', run: () => tool('prettier', '--check', '--log-level=warn', '.') },
  { name: 'protocol', run: () => tool('buf', 'lint') },
  { name: 'forbidden words', run: async () => (await checkWords()).map(sentence).join('\n') },
];

const sentence = ({ file, line, what }: { file: string; line: number; what: string }) => `${file}:${line} ${what}`;

async function tool(program: string, ...args: string[]): Promise<string> {
  return runIn(repositoryRoot, program, args);
}

async function runIn(cwd: string, program: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const result = await execa(program, args, {
    cwd,
    env,
    preferLocal: true,
    localDir: repositoryRoot,
    all: true,
    stdin: 'ignore',
    reject: false,
    timeout: limitMs,
  });
  if (!result.failed) return '';
  return result.all.trim() || (result.shortMessage ?? 'it failed without a word');
}

async function vetGo(): Promise<string> {
  const env = await goEnvironment();
  const words: string[] = [];
  for (const folder of await goModules()) {
    words.push(await runIn(`${repositoryRoot}/${folder}`, 'go', ['vet', './...'], env));
  }
  return words.filter((text) => text !== '').join('\n');
}

/** Only folders that hold sources: the tool refuses an empty one. */
async function checkImports(): Promise<string> {
  const sources = (await trackedFiles()).filter((name) => name.endsWith('.ts') && name.includes('/'));
  const rooms = new Set(sources.map((name) => name.slice(0, name.indexOf('/'))));
  return tool('depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err', ...rooms);
}

async function checkGenerated(): Promise<string> {
  const stale = await staleGeneratedFiles();
  return stale.map((name) => `${name} is not what its source gives: run \`npm run generate\``).join('\n');
}
