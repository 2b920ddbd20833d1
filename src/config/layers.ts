import type { Problem } from './config-error.ts';
import { SETTINGS, type Setting } from './settings.ts';

export type Tree = { [key: string]: unknown };

/** What is given so far, and by what. */
export interface Layers {
  readonly values: Tree;
  /** The variable or flag that gave a path; paths from the file have none. */
  readonly labels: Map<string, string>;
  readonly problems: Problem[];
}

/** Sets one key from text. Text that does not fit the key's type stays text, for the schema to refuse. */
export function give({ values, labels }: Layers, path: string, text: string, label: string): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let tree = values;
  for (const key of keys) {
    tree[key] ??= {};
    if (!isTree(tree[key])) return;
    tree = tree[key];
  }
  tree[last] = fromText(text, SETTINGS.find((setting) => setting.path === path)?.type);
  labels.set(path, label);
}

function fromText(text: string, type: Setting['type'] | undefined): unknown {
  if (type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  if (type === 'array') return text.split(/\s*,\s*/).filter((item) => item !== '');
  return text;
}

export function valueAt({ values }: Layers, path: string): unknown {
  return path.split('.').reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), values);
}

/** Notes what is wrong with a key, saying who gave it. */
export function complain({ labels, problems }: Layers, path: string, message: string): void {
  const label = labels.get(path);
  problems.push({ path: label ? `${path} (${label})` : path, message });
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
