import { refusal } from '../azure-error.ts';

/** `''` when absent. @throws AzureError */
export function textIn(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw refusal('The request is invalid.');
  return value;
}

/** Empty when absent. @throws AzureError */
export function listIn(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw refusal(`The request is invalid: '${name}' is no list.`);
  return value;
}
