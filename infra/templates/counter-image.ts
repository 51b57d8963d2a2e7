/**
 * The Go counter as an image: one static program, its lower files, and nothing else.
 * Failure: the compiler's words, as `internal`; what finding a compiler throws (assets/guest-build/go-toolchain.ts).
 */
import path from 'node:path';
import { execa } from 'execa';
import { findGo, type ToolchainPlace } from '../../assets/guest-build/go-toolchain.ts';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { placeFile, placeFolder, placeLowerFiles } from './image-files.ts';
import type { ImageRunSettings } from './oci-layout.ts';

const source = path.join(import.meta.dirname, 'counter');

// A first build may fetch one module and compile the standard library.
const buildTimeoutMs = 10 * 60_000;

export async function compileCounter(toolchain: ToolchainPlace, output: string): Promise<void> {
  const go = await findGo(toolchain);
  toolchain.progress('compiling the counter');
  const result = await execa(
    go.command,
    ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', output, '.'],
    {
      cwd: source,
      // Only what decides the bytes; where modules and caches are is the machine's business.
      env: { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '', GOWORK: 'off' },
      timeout: buildTimeoutMs,
      reject: false,
    },
  );
  if (result.failed) throw new DormouseError('internal', `the counter does not compile: ${result.stderr}`);
}

export async function fillCounterRoot(root: string, toolchain: ToolchainPlace): Promise<ImageRunSettings> {
  const program = `${root}.program`;
  await compileCounter(toolchain, program);
  await placeFile(program, root, 'counter', 0o755);
  await placeLowerFiles(root);
  await placeFolder(root, 'etc');
  return { entrypoint: ['/counter'] };
}
