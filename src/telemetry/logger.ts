import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config/schema.ts';

export type { Logger };

/** JSON lines on the standard error. An error's cause is logged with it; what a caller sent, headers above all, is not. */
export function createLogger({ level }: Config['log'], destination: DestinationStream = pino.destination(2)): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
