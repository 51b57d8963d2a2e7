/** Works on a stream of things, a few at a time, so that neither memory nor the other end is flooded. */

/** Ends when nothing is under way any more. After a failure no new work begins, and the first failure is thrown. */
export async function inLanes<Item>(
  items: AsyncIterable<Item>,
  laneCount: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  let failed = false;
  const lane = async (): Promise<void> => {
    try {
      for (let next = await iterator.next(); next.done !== true && !failed; next = await iterator.next()) {
        await work(next.value);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const results = await Promise.allSettled(Array.from({ length: laneCount }, lane));
  await iterator.return?.();
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
