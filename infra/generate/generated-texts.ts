/** Every committed text that is generated from sources of ours: `npm run generate` writes it, `npm run check` compares it. */
import { cliReference } from '../../cli/reference/cli-reference.ts';
import { apiReference } from './api-reference.ts';
import { sdkReference } from './sdk-reference.ts';
import { sdkTypes } from './sdk-types.ts';

/** By its path from the root. */
export const generatedTexts: Readonly<Record<string, () => Promise<string> | string>> = {
  'sdk/generated/api.ts': sdkTypes,
  'docs/api.md': apiReference,
  'docs/cli.md': cliReference,
  'docs/sdk-reference.md': sdkReference,
};
