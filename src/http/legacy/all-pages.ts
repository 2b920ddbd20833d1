import type { PythonJson } from '../../domain/python-text.ts';
import type { Fields } from './call.ts';

/** The items of a list that is given in pages, one page after the other, but no more than there is room for. */
export async function allPages(
  list: string,
  most: number,
  page: (token: Fields) => Promise<Fields>,
): Promise<readonly PythonJson[]> {
  const items: PythonJson[] = [];
  let token: Fields = {};
  for (;;) {
    const { [list]: some = [], next_page_token: next } = await page(token);
    items.push(...(some as readonly PythonJson[]));
    if (typeof next !== 'string' || next === '' || items.length >= most) return items;
    token = { page_token: next };
  }
}

/** As protobuf's JSON has lists: an empty one is left out. */
export const listField = (name: string, items: readonly PythonJson[]): Fields =>
  items.length > 0 ? { [name]: items } : {};
