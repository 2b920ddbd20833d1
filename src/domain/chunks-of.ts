/** The items in their order, so many at a time. */
export function* chunksOf<T>(size: number, items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
