import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config/schema.ts';

export type { Logger };

/** JSON lines on the standard error. What a caller sent, headers above all, is not logged. */
export function createLogger({ level }: Config['log'], destination: DestinationStream = pino.destination(2)): Logger {
  const serializers = { err: plainError };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers }, destination);
}

/** An error and its causes without what libraries hang on them: a Redis error holds the command, password and all. */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  return { name, message, stack, ...(cause !== undefined && { cause: plainError(cause) }) };
}
