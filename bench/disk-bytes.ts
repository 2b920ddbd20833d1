/** What an index of Elasticsearch takes on disk, without copies, in bytes. */
export async function diskBytes(url: string, index: string): Promise<number> {
  const answer = await fetch(`${url}/${index}/_stats/store`);
  const { _all } = (await answer.json()) as { _all: { primaries: { store: { size_in_bytes: number } } } };
  return _all.primaries.store.size_in_bytes;
}
