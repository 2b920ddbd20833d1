import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { AttemptLimits } from './attempt-limits.ts';
import type { Authenticator, Caller, Claim } from './caller.ts';
import { parseAuthorization } from './parse-authorization.ts';
import { Unauthenticated } from './refusals.ts';
import { Verified } from './verified.ts';

export interface JwtDeps {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  /** One of them has to be among those that a token is for. */
  readonly audiences: readonly string[];
  /** Of signatures, asymmetric only. */
  readonly algorithms: readonly string[];
  readonly userClaim: string;
  readonly groupsClaim: string;
  /** How far clocks may differ, in s. */
  readonly clockToleranceSeconds: number;
  readonly limits: AttemptLimits;
}

const CHALLENGE = 'Bearer realm="mlflow"';
const ADVICE = 'Say who you are by a token: MLFLOW_TRACKING_TOKEN of the MLflow client.';

/**
 * Users by a token of an OpenID Connect issuer: as bearer, or as the password of `Basic`, for clients that know nothing else.
 * The user name beside it counts for nothing.
 */
export function createJwtAuthenticator(deps: JwtDeps): Authenticator {
  const verified = new Verified<Caller>();
  const options = {
    issuer: deps.issuer,
    audience: [...deps.audiences],
    algorithms: [...deps.algorithms],
    clockTolerance: deps.clockToleranceSeconds,
    requiredClaims: ['exp'],
  };

  async function prove(header: string): Promise<{ value: Caller; forMs: number }> {
    const credentials = parseAuthorization(header);
    if (!credentials) throw new Unauthenticated(ADVICE, CHALLENGE);
    const token = credentials.scheme === 'bearer' ? credentials.token : credentials.password;
    try {
      const { payload } = await jwtVerify(token, deps.keys, options);
      const expiresMs = ((payload.exp ?? 0) + deps.clockToleranceSeconds) * 1_000;
      return { value: callerOf(payload, deps), forMs: expiresMs - Date.now() };
    } catch (error) {
      throw error instanceof errors.JOSEError ? refusal(reasonOf(error), error) : error;
    }
  }

  /** A token is judged in a moment, and cannot be guessed: only who failed is told to wait, and nobody behind the same address. */
  async function judge(name: string, header: string, address: string): Promise<Caller> {
    try {
      return await verified.verify(name, () => prove(header));
    } catch (error) {
      if (error instanceof Unauthenticated) await deps.limits.failed(address);
      throw error;
    }
  }

  function authenticate({ authorization, address }: Claim): Promise<Caller> | Caller | undefined {
    if (authorization === undefined) return undefined;
    const name = verified.nameOf(authorization);
    return verified.get(name) ?? judge(name, authorization, address);
  }

  return { authenticate, challenge: CHALLENGE, advice: ADVICE, close: () => undefined };
}

/** @throws Unauthenticated when the token names nobody */
function callerOf(payload: JWTPayload, { userClaim, groupsClaim }: JwtDeps): Caller {
  const user = payload[userClaim];
  if (typeof user !== 'string' || user === '') throw refusal(`it has no user name in its claim "${userClaim}"`);
  const groups = [payload[groupsClaim] ?? []].flat();
  return { user, groups: groups.filter((group) => typeof group === 'string') };
}

const refusal = (reason: string, cause?: Error) =>
  new Unauthenticated(`The token is refused: ${reason}. ${ADVICE}`, `${CHALLENGE}, error="invalid_token"`, { cause });

/** What is wrong with a token, without a word of it. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf' ? 'it is not valid yet' : `its claim "${error.claim}" is not as it has to be`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its signature is of a kind that is not accepted';
  if (error instanceof errors.JWKSNoMatchingKey) return 'it is signed with a key that its issuer does not name';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'it does not say which key it is signed with';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  return 'it is not a signed JSON Web Token';
}
