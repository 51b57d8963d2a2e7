/** The little of a WebSocket that is used here, so that the browser's, Node's own and the one of the package `ws` all fit. */

export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  addEventListener(type: 'open' | 'error' | 'close', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** The second argument is what Node's own and `ws` take; a browser's gets none. */
export type WebSocketConstructor = new (
  url: string,
  options?: { readonly headers: Readonly<Record<string, string>> },
) => WebSocketLike;
