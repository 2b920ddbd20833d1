import type { AccessToken, TokenCredential } from '@azure/identity';
import { GatewayError } from '../../src/errors/gateway-error.ts';
import { unlessCancelled } from '../../src/faults/unless-cancelled.ts';
import type { Cloud } from './cloud.ts';
import { type Authority, type Credential, openCredential } from './credential.ts';
import { signInError } from './sign-in-error.ts';
import { TokenCache } from './token-cache.ts';

/** Bearer tokens, whoever they are for. */
export interface TokenSource {
  /**
   * A token that serves. `fresh` demands another one than before, after a 401; the same one comes back where there is none.
   * @throws GatewayError when there is none: it names the credential and what to check.
   */
  token(options?: { readonly fresh?: boolean; readonly signal?: AbortSignal | undefined }): Promise<string>;
}

/** A token that was given, such as the one Azure puts into a job: it is not renewed here. */
export interface StaticToken {
  readonly kind: 'static';
  readonly token: string;
}

export interface TokenSourceOptions extends Authority {
  /** How long one token may take, in ms. */
  readonly timeoutMs?: number;
  /** For the log: told of every failure, those of renewals in the background too, with the library's words as its cause. */
  readonly onFailure?: ((error: GatewayError) => void) | undefined;
}

/** Tokens for the resource manager of a cloud, which workspaces take. Nothing is asked for, nor loaded, before the first. */
export function createTokenSource(
  credential: Credential | StaticToken,
  cloud: Pick<Cloud, 'authorityHost' | 'tokenScope'>,
  { timeoutMs = 30_000, onFailure, ...authority }: TokenSourceOptions = {},
): TokenSource {
  if (credential.kind === 'static') return { token: async () => credential.token };
  const secrets = secretsOf(credential);
  let opened: Promise<TokenCredential> | undefined;

  const ask = async (fresh: boolean): Promise<AccessToken> => {
    // A new credential has an empty memory. Those of managed identities share one, and the same token comes again.
    const asked = fresh || !opened ? openCredential(credential, cloud, authority) : opened;
    opened ??= asked;
    try {
      const token = await (await asked).getToken(cloud.tokenScope);
      if (!token) throw new Error('There is no token.');
      opened = asked;
      return token;
    } catch (error) {
      // What could not be made is made again.
      if (opened === asked) opened = undefined;
      throw error;
    }
  };
  const cache = new TokenCache(async (fresh) => {
    try {
      return await within(timeoutMs, ask(fresh));
    } catch (error) {
      const failure = signInError(credential.kind, error, secrets);
      onFailure?.(failure);
      throw failure;
    }
  });
  return {
    token: ({ fresh = false, signal } = {}) => {
      const token = fresh ? cache.freshToken() : cache.token();
      return signal ? unlessCancelled(token, signal) : token;
    },
  };
}

const secretsOf = (credential: Credential): string[] =>
  credential.kind === 'service-principal'
    ? [credential.secret, credential.certificatePassword].filter((secret) => secret !== undefined)
    : [];

/** The library keeps on trying for long, and takes no signal everywhere. */
async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new GatewayError('DEADLINE_EXCEEDED', `No token came within ${timeoutMs} ms.`)),
    timeoutMs,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
