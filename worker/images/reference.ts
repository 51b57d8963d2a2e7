/**
 * Image references: the only way into the image tools. A reference is taken apart by a strict parser and put together
 * again, so that no part of one can be read as an option or another transport. Failure: `invalid-input`.
 *
 *   docker://host[:port]/name[:tag][@sha256:…]   or the same without docker://
 *   oci:<absolute folder>:<tag>                  a tag of an OCI layout
 *   dir:<absolute folder>                        what `skopeo copy … dir:` wrote
 */
import path from 'node:path';
import { DormouseError } from '../../shared/errors/dormouse-error.ts';

export type ImageReference =
  | {
      readonly transport: 'docker';
      readonly host: string;
      readonly name: string;
      readonly tag: string | undefined;
      readonly digest: string | undefined;
    }
  | { readonly transport: 'oci'; readonly folder: string; readonly tag: string }
  | { readonly transport: 'dir'; readonly folder: string };

const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const hostPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-f:]+\\])(?::[0-9]{1,5})?$`);
const namePart = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*';
const namePattern = new RegExp(`^${namePart}(?:/${namePart})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
export const digestPattern = /^sha256:[0-9a-f]{64}$/;

// The longest repository name that registries accept.
const nameLengthLimit = 255;

export function parseReference(text: string): ImageReference {
  if (text.startsWith('oci:')) return parseLayout(text);
  if (text.startsWith('dir:')) return { transport: 'dir', folder: checkFolder(text, text.slice('dir:'.length)) };
  return parseRegistry(text);
}

function parseLayout(text: string): ImageReference {
  const [folder, tag, ...rest] = text.slice('oci:'.length).split(':');
  if (folder === undefined || tag === undefined || rest.length > 0) throw invalid(text, 'use oci:<folder>:<tag>');
  if (!tagPattern.test(tag)) throw invalid(text, `${JSON.stringify(tag)} is not a tag`);
  return { transport: 'oci', folder: checkFolder(text, folder), tag };
}

/** The tools split at colons and commas, and a relative path would depend on who runs them. */
function checkFolder(text: string, folder: string): string {
  if (!path.isAbsolute(folder) || path.normalize(folder) !== folder) {
    throw invalid(text, 'the folder must be an absolute path without . or ..');
  }
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[\u0000-\u001f\u007f:,@]/.test(folder))
    throw invalid(text, 'the folder may not contain : , @ or control characters');
  return folder;
}

function parseRegistry(text: string): ImageReference {
  const plain = text.startsWith('docker://') ? text.slice('docker://'.length) : text;
  const { rest, digest } = takeDigest(text, plain);
  const slash = rest.indexOf('/');
  const host = rest.slice(0, Math.max(slash, 0));
  if (!isRegistryHost(host)) {
    throw invalid(
      text,
      'begin with a registry host such as registry.example.com/name:tag, oci:<folder>:<tag> or dir:<folder>',
    );
  }
  const { name, tag } = takeTag(text, rest.slice(slash + 1));
  if (!namePattern.test(name) || name.length > nameLengthLimit) {
    throw invalid(text, `${JSON.stringify(name)} is not a repository name`);
  }
  return { transport: 'docker', host, name, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

function takeDigest(text: string, plain: string): { rest: string; digest: string | undefined } {
  const at = plain.indexOf('@');
  if (at < 0) return { rest: plain, digest: undefined };
  const digest = plain.slice(at + 1);
  if (!digestPattern.test(digest)) throw invalid(text, 'a digest is sha256: and 64 hexadecimal digits');
  return { rest: plain.slice(0, at), digest };
}

function takeTag(text: string, nameAndTag: string): { name: string; tag: string | undefined } {
  const colon = nameAndTag.indexOf(':');
  if (colon < 0) return { name: nameAndTag, tag: undefined };
  const tag = nameAndTag.slice(colon + 1);
  if (!tagPattern.test(tag)) throw invalid(text, `${JSON.stringify(tag)} is not a tag`);
  return { name: nameAndTag.slice(0, colon), tag };
}

/** As every container tool tells a host from the first part of a name: it has a dot or a port, or is localhost. */
function isRegistryHost(host: string): boolean {
  return hostPattern.test(host) && (/[.:]/.test(host) || host === 'localhost');
}

/** A registry on this machine may speak plain HTTP; no other may. */
export function isLoopbackRegistry(reference: ImageReference): boolean {
  if (reference.transport !== 'docker') return false;
  const name = reference.host.replace(/:[0-9]+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(name);
}

/** As skopeo wants it; with `digest`, that very manifest whatever the tag says by now. */
export function skopeoSource(reference: ImageReference, digest?: string): string {
  switch (reference.transport) {
    case 'docker': {
      const pinned = digest ?? reference.digest;
      return `docker://${reference.host}/${reference.name}${pinned ? `@${pinned}` : `:${reference.tag ?? 'latest'}`}`;
    }
    case 'oci':
      return `oci:${reference.folder}:${reference.tag}`;
    case 'dir':
      return `dir:${reference.folder}`;
  }
}

const invalid = (text: string, why: string): DormouseError =>
  new DormouseError('invalid-input', `${JSON.stringify(text.slice(0, 300))} is not an image reference: ${why}`, {
    errors: [{ field: 'image', message: why }],
  });
