/**
 * What must not stand in a file of the project: the hosts that this machine downloads from (a registry, a mirror, a
 * proxy: another machine has others), the path of this very checkout, a test that is alone or skipped without saying
 * why, and files too large to be sources. The hosts are read from the machine's own tools at run time, so the guard
 * itself names none.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { repositoryRoot, trackedFiles } from './tracked-files.ts';

/** Twice the largest file that anyone has read here; a binary or a build output is larger. */
const largestFileBytes = 512 * 1024;

export interface ForbiddenWord {
  readonly what: string;
  readonly pattern: RegExp;
  /** Only files whose name matches are looked at; without one, all. */
  readonly only?: RegExp;
}

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

export async function checkWords(root = repositoryRoot): Promise<Finding[]> {
  const words = [...testWords, ...checkoutWord(root), ...(await hostWords(root))];
  const findings: Finding[] = [];
  for (const file of await trackedFiles(root)) {
    const { size } = await stat(path.join(root, file));
    if (size > largestFileBytes) {
      findings.push({ file, line: 1, what: `${size} bytes, more than ${largestFileBytes}: not a source` });
    } else {
      findings.push(...findWords(file, await readFile(path.join(root, file), 'utf8'), words));
    }
  }
  return findings;
}

export function findWords(file: string, text: string, words: readonly ForbiddenWord[]): Finding[] {
  const applicable = words.filter(({ only }) => only === undefined || only.test(file));
  return text
    .split('\n')
    .flatMap((line, index) =>
      applicable.filter(({ pattern }) => pattern.test(line)).map(({ what }) => ({ file, line: index + 1, what })),
    );
}

const testFiles = /(\.test\.ts|^e2e\/.*\.ts|conformance\.ts)$/;
const testCall = String.raw`\b(?:test|it|suite|describe)`;

/** In node:test only the options and the context can carry a reason: `{ skip: 'why' }`, `context.skip('why')`. */
export const testWords: readonly ForbiddenWord[] = [
  {
    what: 'a test that runs alone hides all others',
    pattern: new RegExp(String.raw`${testCall}(?:\.only\(|\(.*\bonly:\s*true\b)`),
    only: testFiles,
  },
  {
    what: 'a skipped test must say why: { skip: "reason" }',
    pattern: new RegExp(String.raw`${testCall}\.(?:skip|todo)\(|\b(?:skip|todo):\s*true\b|\.(?:skip|todo)\(\s*\)`),
    only: testFiles,
  },
];

/** Install prefixes are written in unit files and images with good reason, also when someone cloned to one of them. */
const conventionalPrefix = /^\/(app|opt|srv|usr)\b/;

/** The absolute path of this checkout: true on one machine only. */
export function checkoutWord(root: string): ForbiddenWord[] {
  if (conventionalPrefix.test(root) || path.dirname(root) === '/') return [];
  return [{ what: 'the path of a checkout', pattern: new RegExp(`${RegExp.escape(root)}(?![\\w.-])`) }];
}

async function hostWords(root: string): Promise<ForbiddenWord[]> {
  const sources = await Promise.all([
    wordsOf(root, 'npm', 'config', 'get', 'registry'),
    wordsOf(root, 'go', 'env', 'GOPROXY'),
    aptSources(),
  ]);
  return hostsIn(sources.join('\n')).map((host) => ({
    what: 'the host of a package registry or mirror',
    pattern: new RegExp(`(?<![\\w.-])${RegExp.escape(host)}(?![\\w-])`, 'i'),
  }));
}

const loopback = /^(localhost|127(\.\d+){3}|::1)$/;

export function hostsIn(text: string): string[] {
  const hosts = [...text.matchAll(/\bhttps?:\/\/(?:[^\s/@]*@)?\[?([A-Za-z0-9.:-]*[A-Za-z0-9])/g)].map(([, authority]) =>
    (authority ?? '').replace(/:\d+$/, '').toLowerCase(),
  );
  return [...new Set(hosts)].filter((host) => host !== '' && !loopback.test(host));
}

/** Empty when the tool is not there: then nothing of it can have come into a file from this machine. */
async function wordsOf(root: string, program: string, ...args: string[]): Promise<string> {
  const result = await execa(program, args, { cwd: root, reject: false });
  return result.failed ? '' : result.stdout;
}

async function aptSources(): Promise<string> {
  const folder = '/etc/apt/sources.list.d';
  const names = await readdir(folder).catch(() => []);
  const files = ['/etc/apt/sources.list', ...names.map((name) => path.join(folder, name))];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  const isComment = (line: string) => line.trimStart().startsWith('#');
  return texts.flatMap((text) => text.split('\n').filter((line) => !isComment(line))).join('\n');
}
