export interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Instead of the two. */
  readonly token?: string | undefined;
}

/** The `Authorization` header that says who this is (RFC 7617, RFC 6750); undefined for nobody in particular. */
export function authorizationOf({ username, password, token }: Credentials): string | undefined {
  if (token !== undefined) return `Bearer ${token}`;
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
