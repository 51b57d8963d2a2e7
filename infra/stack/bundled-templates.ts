/**
 * The bundled templates as bodies for POST /v1/templates. The set-up has built their images, so this only reads; where it
 * has not (a changed source), the images are built now, with progress on standard error.
 */
import path from 'node:path';
import { cacheFolder, toolchainPlace } from '../setup/asset-place.ts';
import { buildTemplates, bundledTemplates, type BundledTemplate, type BuiltTemplate } from '../templates/build.ts';

export const templatesFolder = path.join(cacheFolder, 'templates');

export function builtTemplates(
  names: readonly BundledTemplate[] = bundledTemplates,
  onProgress: (message: string) => void = (message) => console.error(message),
): Promise<Record<string, BuiltTemplate>> {
  const { cacheDir, findMirror } = toolchainPlace(onProgress);
  return buildTemplates({ cacheDir: templatesFolder, names, toolchain: { cacheDir, findMirror }, onProgress });
}
