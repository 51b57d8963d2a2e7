/**
 * Compiles the guest agent: static, without paths, times or version control in it, so that the same sources and compiler
 * give the same bytes.
 */
import { execa } from 'execa';
import path from 'node:path';
import type { Architecture } from '../../shared/assets/asset-set.ts';
import { digestOfFiles, filesBelow } from './source-digest.ts';
import type { GoToolchain } from './go-toolchain.ts';

const sources = path.join(import.meta.dirname, '../guest-agent');

/** A first build fetches its modules and compiles gRPC. */
const buildTimeoutMs = 10 * 60_000;

/** Short digest of what the agent is compiled from; the agent answers it to Hello. */
export async function agentSourceDigest(): Promise<string> {
  const files = await filesBelow(sources, (name) => /(\.go|go\.mod|go\.sum)$/.test(name) && !name.endsWith('_test.go'));
  return (await digestOfFiles(sources, files)).slice(0, 16);
}

export async function buildAgent(go: GoToolchain, architecture: Architecture, output: string): Promise<void> {
  const version = await agentSourceDigest();
  const flags = [
    '-tags',
    'grpcnotrace',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags',
    `-s -w -X main.version=${version}`,
  ];
  await execa(go.command, ['build', ...flags, '-o', output, '.'], {
    cwd: sources,
    env: { CGO_ENABLED: '0', GOOS: 'linux', GOARCH: architecture, GOTOOLCHAIN: 'local', GOFLAGS: '', GOWORK: 'off' },
    timeout: buildTimeoutMs,
  });
}
