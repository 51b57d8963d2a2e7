/** Files of a container, and folders as tar archives. Both ways stream; a transfer that breaks off changes no file. */
import { queryString, segment } from './request-path.ts';
import type { CallOptions, Content, Transport } from './transport.ts';

/** The type of an archive, both ways. */
const archiveType = 'application/x-tar';

export interface FileOptions extends CallOptions {
  /** The template's first container unless named. */
  readonly container?: string | undefined;
}

export interface PutOptions extends FileOptions {
  /** Permission bits, e.g. 0o644; without it, those of the file that is replaced. */
  readonly mode?: number | undefined;
  /** The content is a tar archive, to be unpacked into the folder `path`. */
  readonly archive?: boolean | undefined;
}

export interface GuestFile {
  /** Then the body is a tar archive of what the folder holds. */
  readonly isFolder: boolean;
  readonly mode: number;
  /** Of a file, when it was opened. */
  readonly sizeBytes: number | undefined;
  readonly response: Response;
}

export interface Files {
  /** Throws `file-not-found` and the like before any byte comes. */
  get(path: string, options?: FileOptions): Promise<GuestFile>;
  /** The bytes that were written. */
  put(path: string, content: Content, options?: PutOptions): Promise<number>;
}

export function filesOf(transport: Transport, id: string): Files {
  const urlOf = (path: string, container: string | undefined, mode?: string): string =>
    `/v1/actors/${segment(id)}/files${queryString({ path, container, mode })}`;
  return {
    async get(path, { container, signal } = {}) {
      const headers = { accept: '*/*' };
      const response = await transport.open({ method: 'GET', path: urlOf(path, container), headers, signal });
      const size = response.headers.get('dormouse-file-size');
      return {
        isFolder: response.headers.get('content-type') === archiveType,
        mode: Number.parseInt(response.headers.get('dormouse-file-mode') ?? '0', 8),
        sizeBytes: size === null ? undefined : Number(size),
        response,
      };
    },
    async put(path, content, { container, mode, archive, signal } = {}) {
      const octal = mode === undefined ? undefined : (mode & 0o7777).toString(8).padStart(4, '0');
      const headers = { 'content-type': archive === true ? archiveType : 'application/octet-stream' };
      const request = { path: urlOf(path, container, octal), content, headers, signal };
      const answer = await transport.json({ method: 'PUT', ...request });
      return (answer as { readonly writtenBytes: number }).writtenBytes;
    },
  };
}
