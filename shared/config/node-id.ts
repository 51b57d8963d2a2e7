/**
 * Names of nodes. They stand in queue names, object keys and paths, so they are short labels; what an orchestrator calls
 * its machines (`ip-10-0-12-34.eu.compute.internal`) is made into one that stays the same and stays apart from others.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';

const maxLength = 32;
/** 32 bits: two of a thousand machines share a label once in nine thousand clusters, and then the second one's lease is refused. */
const digestLength = 8;
const label = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
/** RFC 1123: labels joined by dots, 253 characters in all. */
const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** A host name in; a label of at most 32 characters out, itself where it is one already. */
export const nodeIdSchema = z
  .string()
  .regex(hostName, 'a host name: lower-case letters, digits, dashes and dots, at most 253 characters')
  .transform(nodeIdOf);

export function nodeIdOf(host: string): string {
  if (host.length <= maxLength && label.test(host)) return host;
  const digest = createHash('sha256').update(host).digest('hex').slice(0, digestLength);
  const readable = host.replaceAll('.', '-').slice(0, maxLength - digestLength - 1);
  return `${readable.replace(/-+$/, '')}-${digest}`;
}
