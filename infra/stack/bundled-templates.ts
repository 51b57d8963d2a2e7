/** The templates that `npm start` brings along. */
import type { TemplateSpecification } from './api-client.ts';

export function bundledTemplates(): Promise<readonly TemplateSpecification[]> {
  return Promise.resolve([]);
}
