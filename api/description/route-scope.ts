/** The scope that a route needs, by its method and its path as the description has it; undefined: it needs no token. */
import type { Scope } from '../../shared/access/stored-tokens.ts';
import { neededScope } from '../plugins/access.ts';
import { isInvocation } from './route-errors.ts';

export function scopeOfRoute(method: string, path: string): Scope | undefined {
  // Calls of actors go past the framework, and its routes.
  if (isInvocation(path)) return 'invoke';
  return neededScope(method.toUpperCase(), path.replace(/\{(\w+)\}/g, ':$1'));
}
