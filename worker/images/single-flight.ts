/**
 * Work that several callers ask for at once is done once. Each caller waits under its own signal; the work is aborted only
 * when the last of them has given up.
 */
export interface SingleFlight<Result> {
  run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
}

interface Flight<Result> {
  readonly result: Promise<Result>;
  readonly controller: AbortController;
  waiting: number;
}

export function createSingleFlight<Result>(): SingleFlight<Result> {
  const flights = new Map<string, Flight<Result>>();

  const start = (key: string, work: (signal: AbortSignal) => Promise<Result>): Flight<Result> => {
    const controller = new AbortController();
    const result = work(controller.signal).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    const flight = { result, controller, waiting: 0 };
    flights.set(key, flight);
    return flight;
  };

  return {
    run: async (key, signal, work) => {
      signal.throwIfAborted();
      const flight = flights.get(key) ?? start(key, work);
      flight.waiting++;
      try {
        return await untilAborted(flight.result, signal);
      } finally {
        if (--flight.waiting === 0 && signal.aborted) {
          flights.delete(key); // whoever comes now begins anew
          flight.controller.abort(signal.reason);
        }
      }
    },
  };
}

function untilAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  return Promise.race([result, promise]).finally(() => signal.removeEventListener('abort', onAbort));
}
