/** What is forwarded, to where, and how it may end: the words that the parts of the proxy core share. */
import type { Agent, IncomingMessage, ServerResponse } from 'node:http';
import type { RawHeaders } from './raw-headers.ts';

export interface ForwardTarget {
  readonly host: string;
  readonly port: number;
  /** The way to the same server that is taken instead, where there is one. */
  readonly socketPath?: string;
  /** Keeps connections between requests; without one each request has its own. */
  readonly agent?: Agent;
}

export interface Forward {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: ForwardTarget;
  /** Path and query for the target, as they shall stand in its request line. */
  readonly path: string;
  /** For the target: usually `endToEnd(request.rawHeaders)` and some more. Framing and `Expect` are added here. */
  readonly headers: RawHeaders;
  /** Holds the body back until the target says 100: for a target that may refuse. */
  readonly expectContinue?: boolean;
  /** Called when the target wants the body: the moment to tell the client to go on. */
  readonly onContinue?: () => void;
  /** Tells a refusal from an answer. What it throws ends the exchange and is thrown on. */
  readonly refusalOf?: (answer: IncomingMessage) => string | undefined;
  /** The headers to answer with; by default the target's own, end to end. Called once, when they have come. */
  readonly onAnswer?: (answer: IncomingMessage) => RawHeaders;
  /** Breaks the exchange off, whatever its stage. */
  readonly signal?: AbortSignal;
}

export type ForwardOutcome =
  | { readonly outcome: 'answered'; readonly status: number }
  | { readonly outcome: 'refused'; readonly reason: string }
  /** The client went away. */
  | { readonly outcome: 'abandoned' }
  /** The target broke its answer off; the client's connection was cut. */
  | { readonly outcome: 'cut' };
