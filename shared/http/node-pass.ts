/**
 * The pass that an api shows a node (its ingress and its NodeService), so that nobody else is let in. Each boot of a worker
 * draws a key and puts it into its record in the registry; whoever can read that record, the api, derives the pass of the
 * present time window from it. So a pass is good for one boot of one node and ends by itself; the key is never sent. It is
 * made once for a window and compared with one made once for a window: a call costs neither a digest nor a look-up.
 *
 * Both clocks have a say: if they are more than one window apart, every pass is refused.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A pass is let in during its window and the ones beside it: that much may clocks differ, and that long a stolen pass lasts. */
const windowMs = 300_000;

export const newPassKey = (): string => randomBytes(32).toString('base64url');

type Clock = () => number;

const windowAt = (now: Clock): number => Math.floor(now() / windowMs);

const passOf = (key: string, window: number): string =>
  `${window}.${createHmac('sha256', key).update(`dormouse node pass ${window}`).digest('base64url')}`;

export function passMaker(key: string, now: Clock = Date.now): () => string {
  let made = { window: -1, pass: '' };
  return () => {
    const window = windowAt(now);
    if (window !== made.window) made = { window, pass: passOf(key, window) };
    return made.pass;
  };
}

export type PassCheck = (pass: string | undefined) => boolean;

export function passChecker(key: string, now: Clock = Date.now): PassCheck {
  const expected = new Map<number, Buffer>();
  const expectedIn = (window: number): Buffer => {
    const before = expected.get(window);
    if (before !== undefined) return before;
    const made = Buffer.from(passOf(key, window));
    for (const other of expected.keys()) if (Math.abs(other - window) > 2) expected.delete(other);
    expected.set(window, made);
    return made;
  };
  return (pass) => {
    const window = Number(/^([0-9]{1,12})\./.exec(pass ?? '')?.[1] ?? NaN);
    if (pass === undefined || !(Math.abs(window - windowAt(now)) <= 1)) return false;
    const given = Buffer.from(pass);
    const wanted = expectedIn(window);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  };
}
