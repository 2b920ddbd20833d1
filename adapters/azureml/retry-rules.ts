import { retryAfterMs } from '../../src/upstream/retry-after.ts';
import type { UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { isRefusal, readAzureError } from './azure-error.ts';

/** What passes, by Microsoft's own client (`azureml-core`); 530 is the service's own, while a node of it starts. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 530]);
/** Said before anything was done. */
const UNTOUCHED: ReadonlySet<number> = new Set([429, 503]);

/** Whether an answer is worth asking again for; a write is repeated only where it cannot have been applied. */
export function mayRepeatAfter(answer: UpstreamResponse, isRead: boolean): boolean {
  if (!(isRead ? PASSING : UNTOUCHED).has(answer.status)) return false;
  return answer.status === 429 || !isRefusal(readAzureError(answer));
}

/** Codes of Node for connections that were never made. */
const UNMADE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
/** Codes of Node and undici for connections that broke. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** The same when there was no answer. Silence is not asked again: the time for it is spent. */
export function mayRepeatWithout(error: unknown, isRead: boolean): boolean {
  const codes = codesOf(error);
  return codes.some((code) => UNMADE.has(code)) || (isRead && codes.some((code) => BROKEN.has(code)));
}

function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { code, cause } = error as NodeJS.ErrnoException;
  return [...(typeof code === 'string' ? [code] : []), ...codesOf(cause)];
}

const MAX_MS = 60_000;

/** How long an answer asks to be left alone, in ms: the longest of Azure's three ways to say so. */
export function askedPauseMs({ headers }: UpstreamResponse, now = Date.now()): number {
  const inMs = ['retry-after-ms', 'x-ms-retry-after-ms'].map((name) => Number(headers[name] ?? 0));
  const valid = inMs.filter((ms) => ms > 0).map((ms) => Math.min(MAX_MS, ms));
  return Math.max(retryAfterMs(headers['retry-after'], now), ...valid);
}
