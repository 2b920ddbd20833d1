import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { BackendCaller } from '../plan/backend-caller.ts';

const KEY = randomBytes(32);

/** Who sends a request with these headers by user and password, as MLflow's `basic-auth` app asks for; else undefined. */
export function backendCallerOf({ authorization }: IncomingHttpHeaders): BackendCaller | undefined {
  if (authorization === undefined || !/^basic /i.test(authorization)) return undefined;
  return { id: createHmac('sha256', KEY).update(authorization).digest('base64url'), authorization };
}
