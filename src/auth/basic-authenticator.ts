import bcrypt from 'bcrypt';
import type { AttemptLimits } from './attempt-limits.ts';
import type { Authenticator, Caller, Claim } from './caller.ts';
import { parseAuthorization } from './parse-authorization.ts';
import { Unauthenticated } from './refusals.ts';
import { Verified } from './verified.ts';

export interface BasicDeps {
  /** bcrypt hashes by user. May change. */
  readonly hashes: () => ReadonlyMap<string, string>;
  readonly groups: () => ReadonlyMap<string, readonly string[]>;
  readonly limits: AttemptLimits;
  close(): void;
}

interface Proven {
  readonly user: string;
  /** That the password was compared with; nothing is proven once there is another. */
  readonly hash: string;
}

const CHALLENGE = 'Basic realm="mlflow"';
const ADVICE =
  'Say who you are by user name and password: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD of the MLflow client.';

/** Users by name and password. Passwords are compared off the main thread. */
export function createBasicAuthenticator({ hashes, groups, limits, close }: BasicDeps): Authenticator {
  const verified = new Verified<Proven>();
  const callerOf = ({ user, hash }: Proven): Caller | undefined =>
    hashes().get(user) === hash ? { user, groups: groups().get(user) ?? [] } : undefined;

  async function prove(header: string, address: string): Promise<{ value: Proven }> {
    const credentials = parseAuthorization(header);
    if (credentials?.scheme !== 'basic') throw new Unauthenticated(ADVICE, CHALLENGE);
    const { user, password } = credentials;
    const succeeded = await limits.begin(verified.nameOf(user), address);
    const hash = hashes().get(user);
    const isRight = await bcrypt.compare(password, hash ?? decoyFor(hashes()));
    if (!isRight || hash === undefined)
      throw new Unauthenticated(`User name or password is wrong. ${ADVICE}`, CHALLENGE);
    succeeded();
    return { value: { user, hash } };
  }

  function authenticate({ authorization, address }: Claim): Promise<Caller | undefined> | Caller | undefined {
    if (authorization === undefined) return undefined;
    const name = verified.nameOf(authorization, address);
    const proven = verified.get(name);
    const caller = proven && callerOf(proven);
    // Proven anew where the file has another hash since.
    return caller ?? verified.verify(name, () => prove(authorization, address)).then(callerOf);
  }

  return { authenticate, challenge: CHALLENGE, advice: ADVICE, close };
}

/** A hash that no password has, at the cost of the dearest there is: who asks cannot tell by the time whether a user exists. */
function decoyFor(hashes: ReadonlyMap<string, string>): string {
  const costs = [...hashes.values()].map((hash) => hash.slice(4, 6));
  return `$2b$${costs.sort().at(-1) ?? '10'}$${'.'.repeat(53)}`;
}
