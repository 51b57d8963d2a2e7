/**
 * Every key the platform writes, in one place. No key is ever the folder of another (S3 servers on a file system hide
 * one of the two).
 */

/** Wide enough for one entry a second over 30,000 years; padding makes listing order the log's order. */
const sequenceDigits = 12;

export const objectKeys = {
  incarnation: (incarnation: number) => `incarnations/${String(incarnation).padStart(9, '0')}.json`,
  /** Names the boot of a node that may run something. */
  node: (nodeId: string) => `nodes/${nodeId}.json`,
  template: (name: string, revision: string) => `templates/${name}/${revision}/template.json`,
  templateFolder: (name: string, revision: string) => `templates/${name}/${revision}/`,
  goldenPart: (name: string, revision: string, attempt: string, part: 'memory' | 'device') =>
    `templates/${name}/${revision}/golden/${attempt}/${part}`,
  webhooks: 'webhooks/',
  webhook: (id: string) => `webhooks/${id}.json`,
  actorFolder: (id: string) => `actors/${id}/`,
  actorBlobs: (id: string, uid: string) => `actors/${id}/${uid}/`,
  logFolder: (id: string) => `actors/${id}/log/`,
  logEntry: (id: string, seq: number) => `actors/${id}/log/${String(seq).padStart(sequenceDigits, '0')}.json`,
  blob: (id: string, uid: string, epoch: string, attempt: number, part: 'memory' | 'device') =>
    `actors/${id}/${uid}/blobs/${epoch}-${attempt}/${part}`,
  actorLogs: (id: string, uid: string) => `actors/${id}/${uid}/logs/`,
  /** What the containers of an activation wrote: for people, named by nothing, gone with the actor. */
  actorLog: (id: string, uid: string, epoch: string, attempt: number) =>
    `actors/${id}/${uid}/logs/${epoch}-${attempt}.ndjson.zst`,
  /** Beside an encrypted object: its data key, wrapped by each key that can open it. They live and die with the object. */
  wrappedKeys: (objectKey: string) => `${objectKey}.keys/`,
  wrappedKey: (objectKey: string, keyId: string) => `${objectKey}.keys/${keyId}`,
} as const;

/** The encrypted object and the key id that a wrapped key's own key names, or undefined for a key that is none. */
export function wrappedKeyOf(key: string): { readonly objectKey: string; readonly keyId: string } | undefined {
  const match = /^(.+)\.keys\/([^/]+)$/.exec(key);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { objectKey: match[1], keyId: match[2] };
}

/** The sequence number in a log entry's key, or undefined for a key that is not one. */
export function sequenceOf(key: string): number | undefined {
  const match = /\/log\/([0-9]{12})\.json$/.exec(key);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The node in the key of a presence, or undefined for a key that is none. */
export const nodeOfPresence = (key: string): string | undefined => /^nodes\/([^/]+)\.json$/.exec(key)?.[1];

/** The activation and the attempt in a blob's key, or undefined for a key that is none. */
export function attemptOf(key: string): { readonly epoch: string; readonly attempt: number } | undefined {
  const match = /\/blobs\/([1-9][0-9]{0,8}\.[0-9]{1,15})-([0-9]{1,15})\/[^/]+$/.exec(key);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { epoch: match[1], attempt: Number(match[2]) };
}

/** The activation and the attempt in a log's key, or undefined for a key that is none. */
export function logOf(key: string): { readonly epoch: string; readonly attempt: number } | undefined {
  const match = /\/logs\/([1-9][0-9]{0,8}\.[0-9]{1,15})-([0-9]{1,15})\.ndjson\.zst$/.exec(key);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { epoch: match[1], attempt: Number(match[2]) };
}
