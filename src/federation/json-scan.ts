import { endOfString } from '../domain/run-text.ts';

const isBlank = (char: number) => char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09;

/** The place of the first character at or after this one that is no blank. */
export function skipBlanks(json: string, at: number): number {
  let i = at;
  while (isBlank(json.charCodeAt(i))) i++;
  return i;
}

/** End (exclusive) of the JSON value that begins at this place. @throws SyntaxError when it has none. */
export function endOfValue(json: string, at: number): number {
  const first = json[at];
  if (first === '"') return endOfString(json, at);
  if (first !== '{' && first !== '[') return endOfScalar(json, at);
  let depth = 0;
  for (let i = at; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (char === 0x22) i = endOfString(json, i) - 1;
    else if (char === 0x7b || char === 0x5b) depth++;
    else if ((char === 0x7d || char === 0x5d) && --depth === 0) return i + 1;
  }
  throw new SyntaxError('A JSON text ends before its last bracket.');
}

function endOfScalar(json: string, at: number): number {
  let i = at;
  while (i < json.length && !/[\s,\]}]/.test(json[i] as string)) i++;
  return i;
}

/** The text that the JSON string at this place stands for. */
export function textAt(json: string, start: number, end: number): string {
  const text = json.slice(start + 1, end - 1);
  return text.includes('\\') ? (JSON.parse(json.slice(start, end)) as string) : text;
}

/**
 * Goes through the object that begins at this place: `visit` is given each key and where its value begins, and gives where
 * that ends. Returns the end of the object. @throws SyntaxError when it has none.
 */
export function eachMember(json: string, at: number, visit: (key: string, start: number) => number): number {
  let i = skipBlanks(json, at + 1);
  while (json[i] === '"') {
    const endOfKey = endOfString(json, i);
    const start = skipBlanks(json, skipBlanks(json, endOfKey) + 1);
    i = skipBlanks(json, visit(textAt(json, i, endOfKey), start));
    if (json[i] === ',') i = skipBlanks(json, i + 1);
  }
  if (json[i] !== '}') throw new SyntaxError('A JSON object does not end.');
  return i + 1;
}

/** The same of a list: `visit` is given where each item begins. */
export function eachItem(json: string, at: number, visit: (start: number) => number): number {
  let i = skipBlanks(json, at + 1);
  while (i < json.length && json[i] !== ']') {
    const end = visit(i);
    if (end === i) throw new SyntaxError('A JSON list has something in it that is no value.');
    i = skipBlanks(json, end);
    if (json[i] === ',') i = skipBlanks(json, i + 1);
  }
  if (json[i] !== ']') throw new SyntaxError('A JSON list does not end.');
  return i + 1;
}

/** The texts of the items of a list that is a field of the outermost object; none where there is no such list. */
export function itemsOf(json: string, field: string): string[] {
  const items: string[] = [];
  eachMember(json, skipBlanks(json, 0), (key, start) => {
    if (key !== field || json[start] !== '[') return endOfValue(json, start);
    return eachItem(json, start, (item) => {
      const end = endOfValue(json, item);
      items.push(json.slice(item, end));
      return end;
    });
  });
  return items;
}
