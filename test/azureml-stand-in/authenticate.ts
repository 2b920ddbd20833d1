import { emptyError, lowerCaseRefusal } from './azure-error.ts';
import type { Caller, Callers } from './callers.ts';
import type { Rules } from './rules.ts';

/** Who is calling. @throws AzureError 401, or 403 for one who may not do this. */
export function authenticate(
  authorization: string | undefined,
  isRead: boolean,
  rules: Rules,
  callers: Callers,
): Caller {
  const caller = identify(authorization, rules, callers);
  if (rules.rightsChecked && (caller.rights === 'none' || (caller.rights === 'read' && !isRead))) throw emptyError(403);
  return caller;
}

function identify(authorization: string | undefined, rules: Rules, callers: Callers): Caller {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    if (rules.tokenRequired) throw denied('Bearer token not provided.');
    return callers.nobody;
  }
  const caller = callers.find(token);
  if (!rules.tokenChecked) return caller ?? callers.nobody;
  if (!caller) throw denied('Bearer token is invalid.');
  if (!callers.isForHere(caller)) throw denied('Bearer token is for another audience.');
  if (caller.expires <= Date.now()) throw denied('Bearer token has expired.');
  return caller;
}

const denied = (message: string) => lowerCaseRefusal(401, message, 'AuthorizationError');
