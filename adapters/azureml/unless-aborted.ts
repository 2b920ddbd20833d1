import { GatewayError } from '../../src/errors/gateway-error.ts';

/** The outcome of a promise that others may wait for too. @throws GatewayError `CANCELLED` if the signal aborts first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const aborted = Promise.withResolvers<never>();
  const abort = () =>
    aborted.reject(new GatewayError('CANCELLED', 'The client closed the request.', { cause: signal.reason }));
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
