import type { Fields } from './call.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

/** The items of a list that is given in pages, one page after the other, until there are this many. */
export async function allPages<Item>(
  most: number,
  pageAfter: (token: Fields) => Promise<Page<Item>>,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let token: Fields = {};
  for (;;) {
    const page = await pageAfter(token);
    for (const item of page.items) items.push(item);
    if (!page.next || items.length >= most) return items;
    token = { page_token: page.next };
  }
}
