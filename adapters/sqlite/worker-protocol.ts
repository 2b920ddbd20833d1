import type { ErrorCode } from '../../src/errors/gateway-error.ts';

/** What a worker is for: one connection to one file. */
export type Role = 'reader' | 'index-writer' | 'store';

export interface WorkerOptions {
  readonly path: string;
  readonly role: Role;
}

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } };
