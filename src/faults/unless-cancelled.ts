import { cancelled } from '../errors/cancelled.ts';
import { unlessAborted } from './unless-aborted.ts';

/** The outcome of a promise that others may wait for too. @throws GatewayError `CANCELLED` if the signal aborts first. */
export const unlessCancelled = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  unlessAborted(promise, signal).catch((error: unknown) => {
    throw signal.aborted ? cancelled(error) : error;
  });
