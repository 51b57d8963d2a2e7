/**
 * Regenerates the protocols of shared/proto/ for both sides of each, as buf.gen.yaml and buf.gen.node.yaml say:
 * `node assets/generate.ts [folder]`. The folder takes the place of the repository root for the outputs, so that a check
 * can generate beside the committed files and compare.
 */
import { execa } from 'execa';
import path from 'node:path';
import { readAssetsConfig } from './config.ts';
import { findMirror } from './debian/apt-sources.ts';
import { findGo } from './guest-build/go-toolchain.ts';

/** What the generation writes, relative to the root. */
export const generatedFolders = ['shared/proto/gen', 'assets/guest-agent/agentpb'] as const;

/** Go is made of the agent's protocol alone. */
const templates = [
  { template: 'buf.gen.yaml', source: 'shared/proto/agent.proto' },
  { template: 'buf.gen.node.yaml', source: 'shared/proto/node.proto' },
] as const;

const root = path.join(import.meta.dirname, '..');

/** A first run compiles the plugins. */
const timeoutMs = 5 * 60_000;

export async function generateProtocol(outputRoot: string = root): Promise<void> {
  const { cacheDir, mirror, searchPath } = readAssetsConfig();
  const progress = (message: string): void => void process.stderr.write(`generate: ${message}\n`);
  const go = await findGo({ cacheDir, progress, findMirror: () => findMirror(mirror) });
  for (const { template, source } of templates) {
    await execa('buf', ['generate', '--template', template, '--path', source, '--output', outputRoot], {
      cwd: root,
      preferLocal: true,
      localDir: root,
      env: { GOTOOLCHAIN: 'local', PATH: withProgram(go.command, searchPath) },
      timeout: timeoutMs,
    });
  }
}

/** The plugins are started as `go tool …`: a compiler that is not on the PATH is put before it. */
const withProgram = (command: string, searchPath: string): string =>
  path.isAbsolute(command) ? `${path.dirname(command)}${path.delimiter}${searchPath}` : searchPath;

if (import.meta.main) await generateProtocol(process.argv[2]);
