/**
 * `Promise.all` for work on something that is disposed afterwards: when one part fails, the others have ended too before
 * the failure is told, so that nothing writes into a folder that is being removed. Throws the first failure in order.
 */
export async function settleAll<const Work extends readonly unknown[]>(
  work: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
