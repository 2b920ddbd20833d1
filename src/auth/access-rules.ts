import type { Caller } from './caller.ts';

export const RULE = /^(?:anyone|authenticated|(?:user|group):.+)$/s;

/** Who may do something: each is `anyone`, `authenticated`, `user:NAME` or `group:NAME`. */
export type Rules = readonly string[];

export function isAllowed(rules: Rules, caller: Caller | undefined): boolean {
  if (rules.includes('anyone')) return true;
  if (!caller) return false;
  const names = ['authenticated', `user:${caller.user}`, ...caller.groups.map((group) => `group:${group}`)];
  return names.some((name) => rules.includes(name));
}
