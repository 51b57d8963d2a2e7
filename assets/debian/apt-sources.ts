/**
 * Reads the machine's own apt sources, both the deb822 format (`*.sources`) and the one-line format (`*.list`), to learn
 * which mirror it uses for Debian. Only the suite differs for us, so no mirror stands in this project.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export interface Source {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
}

export interface Mirror {
  readonly main: string;
  readonly security: string;
}

/** Names under which Debian itself publishes: another distribution's mirror has no such suite. */
const debianSuites = ['bullseye', 'bookworm', 'trixie', 'forky', 'sid', 'oldstable', 'stable', 'testing', 'unstable'];

export function parseDeb822(text: string): Source[] {
  return text.split(/\n(?:[ \t]*\n)+/).flatMap((paragraph) => {
    const fields = deb822Fields(paragraph);
    const words = (name: string): string[] => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    if (!words('types').includes('deb') || fields.get('enabled')?.trim() === 'no') return [];
    return words('uris').flatMap((uri) =>
      words('suites').map((suite) => ({ uri, suite, components: words('components') })),
    );
  });
}

/** Field names in lower case; a line that begins with a blank continues the field before it. */
function deb822Fields(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = '';
  for (const line of paragraph.split('\n')) {
    if (line.startsWith('#')) continue;
    const field = /^([^\s:]+):(.*)$/.exec(line);
    if (field !== null) current = field[1]?.toLowerCase() ?? '';
    fields.set(current, `${fields.get(current) ?? ''} ${field?.[2] ?? line}`);
  }
  return fields;
}

export function parseOneLine(text: string): Source[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
    const [, uri, suite, components] = match ?? [];
    if (uri === undefined || suite === undefined) return [];
    return [{ uri, suite, components: (components ?? '').split(/\s+/).filter((word) => word !== '') }];
  });
}

/** The mirror that serves Debian's suites to this machine, and the one that serves their security updates. */
export function debianMirror(sources: readonly Source[]): Mirror | undefined {
  const debian = sources.filter(
    ({ suite, components }) => components.includes('main') && debianSuites.includes(suite.split(/[-/]/)[0] ?? ''),
  );
  const isSecurity = ({ suite }: Source): boolean => /-security$|\/updates$/.test(suite);
  const main = debian.find((source) => debianSuites.includes(source.suite))?.uri;
  if (main === undefined) return undefined;
  return { main, security: debian.find(isSecurity)?.uri ?? securityBeside(main) };
}

/** A mirror of Debian usually carries the security archive in a folder beside it. */
export const securityBeside = (main: string): string => main.replace(/\/+$/, '') + '-security';

export async function readMachineSources(aptFolder: string): Promise<Source[]> {
  const folder = path.join(aptFolder, 'sources.list.d');
  const names = (await readdir(folder).catch(() => [])).sort();
  const files = [path.join(aptFolder, 'sources.list'), ...names.map((name) => path.join(folder, name))];
  const parsed = await Promise.all(files.map(parseFile));
  return parsed.flat();
}

async function parseFile(file: string): Promise<Source[]> {
  const parse = file.endsWith('.sources') ? parseDeb822 : file.endsWith('.list') ? parseOneLine : undefined;
  if (parse === undefined) return [];
  return parse(await readFile(file, 'utf8').catch(() => ''));
}

/** The mirror to use: the configured one, or the machine's own. */
export async function findMirror(configured: Mirror | undefined, aptFolder = '/etc/apt'): Promise<Mirror> {
  const mirror = configured ?? debianMirror(await readMachineSources(aptFolder));
  if (mirror !== undefined) return mirror;
  throw new DormouseError(
    'precondition-missing',
    `the apt sources of this machine (${aptFolder}) name no Debian mirror; set DORMOUSE_DEBIAN_MIRROR to the address of one`,
  );
}
