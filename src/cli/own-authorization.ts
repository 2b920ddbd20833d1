import type { UpstreamConfig } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { authorizationOf } from '../upstream/authorization.ts';

/** What the gateway calls itself before its MLflow server; undefined when it has no name there. */
export const ownAuthorization = (
  { upstream: { username } }: Pick<UpstreamConfig, 'upstream'>,
  { upstreamPassword: password, upstreamToken: token }: Secrets,
): string | undefined => authorizationOf({ username, password, token });
