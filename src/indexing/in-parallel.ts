/** Handles every item, at most `workers` at a time. */
export async function inParallel<T>(
  items: Iterable<T>,
  workers: number,
  handle: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await handle(next.value);
  };
  await Promise.all(Array.from({ length: workers }, work));
}
