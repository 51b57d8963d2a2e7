/**
 * The dashboard at `/`: one page and its modules, as they lie in `page/`. The page is asked for anew each time (its ETag
 * spares the bytes); everything else has the digest of all files in its address and never changes. The page tells nothing
 * of anybody's actors: what it shows it asks the API for, as any caller does. Failure: `route-not-found`.
 */
import type { FastifyReply } from 'fastify';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import type { ApiApp } from '../app.ts';
import { readPageFiles } from './page-files.ts';

const pageRoute = '/';
const filesRoute = '/dashboard/:digest/*';
export const dashboardRoutes: readonly string[] = [pageRoute, filesRoute];

const folder = fileURLToPath(new URL('page/', import.meta.url));

/** Nothing inline, nothing from elsewhere, and no text that is taken for markup. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const guarded = (reply: FastifyReply): FastifyReply =>
  reply.headers({
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  });

export async function serveDashboard(app: ApiApp, actorDomain: string): Promise<void> {
  const { files, digest } = await readPageFiles(folder);
  const page = files.get('index.html')?.content.toString() ?? '';
  const metrics = app.hasRoute({ method: 'GET', url: '/metrics' }) ? 'yes' : 'no';
  const facts: Readonly<Record<string, string>> = { assets: `dashboard/${digest}`, actorDomain, metrics };
  const filled = page.replace(/\{\{(\w+)\}\}/g, (_, name: string) => escape(facts[name] ?? ''));
  const etag = `"${createHash('sha256').update(filled).digest('base64url')}"`;

  app.get(pageRoute, { schema: { hide: true } }, (request, reply) => {
    guarded(reply).headers({ etag, 'cache-control': 'no-cache' });
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type('text/html; charset=utf-8').send(filled);
  });

  app.get<{ Params: { digest: string; '*': string } }>(filesRoute, { schema: { hide: true } }, (request, reply) => {
    const name = request.params['*'];
    const file = request.params.digest === digest ? files.get(name) : undefined;
    // One of another version: the page that asks is older or newer than this api.
    if (file === undefined)
      throw new DormouseError('route-not-found', `no file ${name} of that version: reload the page`);
    guarded(reply).header('cache-control', 'public, max-age=31536000, immutable');
    return reply.type(file.mediaType).send(file.content);
  });
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
