import type { IncomingMessage } from 'node:http';
import { isAllowed, type Rules } from '../auth/access-rules.ts';
import type { Authenticator, Caller } from '../auth/caller.ts';
import { Unauthenticated } from '../auth/refusals.ts';
import { GatewayError } from '../errors/gateway-error.ts';
import { type AccessKind, accessKind } from './access-table.ts';
import { addressToCount } from './client-address.ts';
import { NEEDS_NO_CALLER, STATUS_PATH } from './own-routes.ts';
import { pathOf, withoutPreview } from './paths.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/**
 * Lets a request in, or not, before anything is read of its body; a promise where that takes a moment. Credentials are gone
 * from a request that was judged.
 * @throws GatewayError to who is not let in
 */
export type Admit = (req: IncomingMessage) => Promise<void> | void;

export interface AdmissionDeps {
  /** Undefined where nobody is asked. */
  readonly authenticator: Authenticator | undefined;
  /** By which failed attempts are counted. */
  readonly clientAddressOf: TrustedProxies['clientAddressOf'];
  readonly read: Rules;
  readonly write: Rules;
  /** Whether callers act under the gateway's name at the backend. */
  readonly actsForCallers: boolean;
}

/** Each mode but `passthrough`, in which the backend decides. */
export function createAdmission({ authenticator, clientAddressOf, read, write, actsForCallers }: AdmissionDeps): Admit {
  const rulesOf = { read, write, administer: write } as const;

  function judge({ method = 'GET', url = '/' }: IncomingMessage, caller: Caller | undefined): void {
    const path = pathOf(withoutPreview(url));
    const kind = accessKind(method, path);
    const isStatus = path === STATUS_PATH && authenticator !== undefined;
    if (!isAllowed(rulesOf[kind], caller) || (isStatus && !caller)) throw refusalOf(kind, caller, authenticator);
    if (kind === 'administer' && actsForCallers) throw new GatewayError('PERMISSION_DENIED', NOT_ADMINISTERED);
  }

  return (req) => {
    const { authorization } = req.headers;
    if (authorization !== undefined || (actsForCallers && req.headers.cookie !== undefined))
      dropCredentials(req, actsForCallers);
    if (needsNoCaller(req)) return;
    if (!authenticator) return judge(req, undefined);
    const caller = authenticator.authenticate({ authorization, address: addressToCount(clientAddressOf(req)) });
    return caller instanceof Promise ? caller.then((known) => judge(req, known)) : judge(req, caller);
  };
}

const NOT_ADMINISTERED =
  'Users and permissions of the MLflow server are not shown or changed through the gateway, which has a name of its own there.';

/** Probes, and what a browser asks before a request from another origin, with which it sends no credentials. */
function needsNoCaller({ method, url = '/', headers }: IncomingMessage): boolean {
  if (method === 'OPTIONS')
    return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
  return (method === 'GET' || method === 'HEAD') && NEEDS_NO_CALLER.has(pathOf(url));
}

/** A cookie may say who is calling as well: where the gateway goes by its own name, nobody else's may go beside it. */
function dropCredentials(req: IncomingMessage, withCookies: boolean): void {
  // Not deleted from it, since an object that lost a key is slow in all that follows.
  const { authorization, cookie, ...rest } = req.headers;
  req.headers = withCookies || cookie === undefined ? rest : { ...rest, cookie };
}

function refusalOf(
  kind: AccessKind,
  caller: Caller | undefined,
  authenticator: Authenticator | undefined,
): GatewayError {
  const right = kind === 'read' ? 'read' : 'write';
  if (caller) {
    const needed = `user:${caller.user}${caller.groups.length > 0 ? ', or one of their groups,' : ''}`;
    return new GatewayError(
      'PERMISSION_DENIED',
      `${caller.user} may not ${right} here. That takes ${needed} in access.${right} of the gateway.`,
    );
  }
  if (authenticator) return new Unauthenticated(authenticator.advice, authenticator.challenge);
  return new GatewayError(
    'PERMISSION_DENIED',
    `Nobody may ${right} here. That takes anyone in access.${right} of the gateway.`,
  );
}
