import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  type JWTVerifyGetKey,
} from 'jose';
import { IssuerUnavailable } from './refusals.ts';

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Where the keys are; without it the issuer's discovery document says. */
  readonly jwksUrl: string | undefined;
  /** How long unknown key ids do not make the keys be fetched again, in ms. */
  readonly cooldownMs?: number;
  /** Told when the issuer cannot be asked, once until it can. */
  onUnavailable?(error: unknown): void;
}

type Keys = ReturnType<typeof createRemoteJWKSet>;

const TIMEOUT_MS = 5_000;
/** How long an issuer that failed is left alone, in ms. */
const RETRY_MS = 2_000;

/**
 * The keys of an issuer, fetched when they are needed first, when they are old, and when a token names one that is not among
 * them. @throws IssuerUnavailable from the function that looks for a key
 */
export function createIssuerKeys({ issuer, jwksUrl, cooldownMs, onUnavailable }: IssuerKeysOptions): JWTVerifyGetKey {
  let keys: Keys | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  let isAway = false;

  async function open(): Promise<Keys> {
    const url = jwksUrl ?? (await discover(issuer));
    keys ??= createRemoteJWKSet(new URL(url), {
      timeoutDuration: TIMEOUT_MS,
      ...(cooldownMs !== undefined && { cooldownDuration: cooldownMs }),
    });
    return keys;
  }

  /** Those that were fetched and are not old, while the issuer is left alone. @throws IssuerUnavailable */
  async function find(header: JWSHeaderParameters, token: FlattenedJWSInput) {
    const waitMs = failedAt + RETRY_MS - performance.now();
    if (waitMs <= 0) return (keys ?? (await open()))(header, token);
    const known = keys?.fresh ? keys.jwks() : undefined;
    if (!known) throw new IssuerUnavailable(waitMs);
    return createLocalJWKSet(known)(header, token).catch((error) => {
      throw error instanceof errors.JWKSNoMatchingKey ? new IssuerUnavailable(waitMs, { cause: error }) : error;
    });
  }

  return async (header, token) => {
    try {
      const key = await find(header as JWSHeaderParameters, token);
      isAway = false;
      return key;
    } catch (error) {
      if (error instanceof IssuerUnavailable || isAboutToken(error)) throw error;
      failedAt = performance.now();
      if (!isAway) onUnavailable?.(error);
      isAway = true;
      throw new IssuerUnavailable(RETRY_MS, { cause: error });
    }
  };
}

/** Whether the keys were there, and the token's was not. */
const isAboutToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

/** Asks the issuer where its keys are (OpenID Connect Discovery 1.0, 4). @throws Error when it does not say */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
  const { issuer: named, jwks_uri: keysUrl } = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (named !== issuer) throw new Error(`${url} is of the issuer ${JSON.stringify(named)}, not of ${issuer}`);
  if (typeof keysUrl !== 'string' || !/^https?:/.test(keysUrl))
    throw new Error(`${url} does not say where the keys are`);
  return keysUrl;
}
