import { AttemptLimits } from '../auth/attempt-limits.ts';
import type { Authenticator } from '../auth/caller.ts';
import { readGroups, readUsers } from '../auth/read-users.ts';
import { WatchedPeople } from '../auth/watched-people.ts';
import type { Config } from '../config/schema.ts';
import { type Admit, createAdmission } from '../http/admission.ts';
import { createTrustedProxies } from '../http/trusted-proxies.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface Admission {
  readonly admit: Admit;
  close(): void;
}

/**
 * Who is let in, by the configuration. `actsForCallers` tells that they act under the gateway's name at the backend.
 * @throws when a file of users or groups cannot be read
 */
export async function openAdmission(config: Config, logger: Logger, actsForCallers: boolean): Promise<Admission> {
  const { auth, access } = config;
  if (auth.mode === 'passthrough') return { admit: () => undefined, close: () => undefined };
  const authenticator = await openAuthenticator(auth, logger);
  const { clientAddressOf } = createTrustedProxies(config.listen.trustedProxies);
  const usual = [authenticator ? 'authenticated' : 'anyone'];
  const { read = usual, write = usual } = access;
  return {
    admit: createAdmission({ authenticator, clientAddressOf, read, write, actsForCallers }),
    close: () => authenticator?.close(),
  };
}

/** Each kind is loaded only where it is used: hashes of passwords are compared by a native module. */
async function openAuthenticator(auth: Config['auth'], logger: Logger): Promise<Authenticator | undefined> {
  const limits = new AttemptLimits({
    ...auth.attempts,
    onLimited: (address) => logger.warn({ address }, 'too many failed attempts to say who is calling'),
  });
  if (auth.mode === 'basic') return openBasic(auth, limits, logger);
  if (auth.mode === 'jwt') return openJwt(auth, limits, logger);
  return undefined;
}

async function openBasic(
  { usersFile = '', groupsFile }: Config['auth'],
  limits: AttemptLimits,
  logger: Logger,
): Promise<Authenticator> {
  const { createBasicAuthenticator } = await import('../auth/basic-authenticator.ts');
  const onProblem = (err: Error) => logger.error({ err }, 'who may call is not known as it was meant');
  const users = new WatchedPeople(usersFile, readUsers, onProblem);
  const groups = groupsFile === undefined ? undefined : new WatchedPeople(groupsFile, readGroups, onProblem);
  return createBasicAuthenticator({
    hashes: () => users.people,
    groups: () => groups?.people ?? NO_GROUPS,
    limits,
    close() {
      users.close();
      groups?.close();
    },
  });
}

const NO_GROUPS: ReadonlyMap<string, readonly string[]> = new Map();

async function openJwt({ jwt }: Config['auth'], limits: AttemptLimits, logger: Logger): Promise<Authenticator> {
  const [{ createIssuerKeys }, { createJwtAuthenticator }] = await Promise.all([
    import('../auth/issuer-keys.ts'),
    import('../auth/jwt-authenticator.ts'),
  ]);
  const { issuer = '', jwksUrl } = jwt;
  const onUnavailable = (err: unknown) =>
    logger.error({ err, issuer }, 'the issuer of tokens cannot be asked for its keys');
  return createJwtAuthenticator({ ...jwt, issuer, keys: createIssuerKeys({ issuer, jwksUrl, onUnavailable }), limits });
}
