/** A store whose requests are counted: how long they took, how they ended, how many bytes went which way. */
import { toDormouseError } from '../errors/dormouse-error.ts';
import type { ObjectBody, ObjectStore } from '../object-store/object-store.ts';
import type { Meters } from './meters.ts';

const sizeOf = (body: ObjectBody): number => (body.kind === 'bytes' ? body.bytes.length : body.sizeBytes);

export function meteredStore(store: ObjectStore, meters: Pick<Meters, 'count' | 'observe'>): ObjectStore {
  const measured = async <Result>(
    operation: string,
    work: Promise<Result>,
    outcomeOf: (result: Result) => string = () => 'done',
  ): Promise<Result> => {
    const startedAt = performance.now();
    const end = (outcome: string): void => {
      const seconds = (performance.now() - startedAt) / 1000;
      meters.observe('dormouse_store_request_seconds', { operation, outcome }, seconds);
    };
    try {
      const result = await work;
      end(outcomeOf(result));
      return result;
    } catch (error) {
      end(toDormouseError(error).code);
      throw error;
    }
  };
  const received = (bytes: number): void => meters.count('dormouse_store_received_bytes_total', {}, bytes);
  const sent = (body: ObjectBody): void => meters.count('dormouse_store_sent_bytes_total', {}, sizeOf(body));
  return {
    ...store,
    async put(key, body, options) {
      await measured('put', store.put(key, body, options));
      sent(body);
    },
    async create(key, body, options) {
      const outcome = await measured('create', store.create(key, body, options), (done) =>
        done === 'created' ? 'done' : done,
      );
      if (outcome === 'created') sent(body);
      return outcome;
    },
    async get(key, options) {
      const bytes = await measured('get', store.get(key, options));
      received(bytes.length);
      return bytes;
    },
    async getToFile(key, path, options) {
      const file = await measured('get-file', store.getToFile(key, path, options));
      received(file.sizeBytes);
      return file;
    },
    async getRange(key, range, options) {
      const piece = await measured('get-range', store.getRange(key, range, options));
      received(piece.bytes.length);
      return piece;
    },
    head: (key, options) => measured('head', store.head(key, options)),
    delete: (key, options) => measured('delete', store.delete(key, options)),
  };
}
