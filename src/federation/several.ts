import type { IncomingHttpHeaders } from 'node:http';
import { type ErrorCode, GatewayError, STATUS_OF } from '../errors/gateway-error.ts';
import { unlessAborted } from '../faults/unless-aborted.ts';
import { BackendAnswer } from '../plan/backend-answer.ts';
import type { Requester } from '../upstream/upstream-client.ts';
import type { Lane } from './lane.ts';

export interface SeveralOptions {
  /** Whether those that answer do, when others do not. */
  readonly partial: 'fail' | 'allow';
  /** How long each may take, in ms. */
  readonly timeoutMs: number;
}

/** What a question to several backends is asked with, and what came of it. */
export class Several {
  /** The ids of the backends that did not answer, and are left out. */
  readonly missing = new Set<string>();
  /** Where the answers came from: `index`, `cache`, `backend`. */
  readonly sources = new Set<string>();
  readonly #options: SeveralOptions;
  readonly #headers: IncomingHttpHeaders;

  /** @param headers of the caller's request */
  constructor(options: SeveralOptions, headers: IncomingHttpHeaders) {
    this.#options = options;
    this.#headers = headers;
  }

  /** What asks a lane as the caller does: only the default backend hears who that is. */
  clientOf({ client, translation }: Lane): Requester {
    const names = translation.isBare ? [...ALWAYS, ...CREDENTIALS] : ALWAYS;
    const own = Object.fromEntries(
      names.flatMap((name): [string, string][] => {
        const value = this.#headers[name];
        return typeof value === 'string' ? [[name, value]] : [];
      }),
    );
    return {
      request: async (request) => {
        const answer = await client.request({ ...request, headers: { ...request.headers, ...own } });
        this.sources.add(String(answer.headers['x-gateway-source'] ?? 'backend'));
        return answer;
      },
    };
  }

  /**
   * What a lane is asked for, in time; `without` where it may be missing and is.
   * @throws GatewayError `TEMPORARILY_UNAVAILABLE` when it must not be missing, and is; what the backend said otherwise
   */
  async ask<T>(
    { translation }: Lane,
    without: T,
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { id } = translation.backend;
    const { partial, timeoutMs } = this.#options;
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      return await unlessAborted(ask(inTime), inTime);
    } catch (error) {
      if (signal.aborted || !(inTime.aborted || isAbsence(error))) throw explained(error, id);
      if (partial === 'fail')
        throw new GatewayError(
          'TEMPORARILY_UNAVAILABLE',
          `The backend '${id}' does not answer${inTime.aborted ? ' in time' : ''}.`,
          { cause: error },
        );
      this.missing.add(id);
      return without;
    }
  }
}

const ALWAYS = ['x-gateway-consistency', 'cache-control', 'x-mlflow-workspace'];
const CREDENTIALS = ['authorization', 'cookie'];

/** What servers, and the proxies in front of them, say when they are overloaded or away. */
const AWAY: ReadonlySet<number> = new Set([429, 502, 503, 504]);

function isAbsence(error: unknown): boolean {
  if (error instanceof BackendAnswer) return AWAY.has(error.status);
  return error instanceof GatewayError && AWAY.has(error.status);
}

/** What a backend said instead of an answer, as an error of ours. */
function explained(error: unknown, id: string): unknown {
  if (!(error instanceof BackendAnswer)) return error;
  const { code, message } = readError(error.body.toString('utf8'));
  const said = message ?? `The backend '${id}' answered ${error.status}.`;
  if (error.status === 401)
    return new GatewayError('UNAUTHENTICATED', said, { headers: { 'www-authenticate': 'Basic realm="mlflow"' } });
  if (error.status === 403) return new GatewayError('PERMISSION_DENIED', said);
  return new GatewayError(code ?? 'INTERNAL_ERROR', said, { cause: error });
}

function readError(text: string): { code?: ErrorCode | undefined; message?: string | undefined } {
  try {
    const { error_code: code, message } = JSON.parse(text) as Record<string, unknown>;
    return {
      code: typeof code === 'string' && Object.hasOwn(STATUS_OF, code) ? (code as ErrorCode) : undefined,
      message: typeof message === 'string' ? message : undefined,
    };
  } catch {
    return {};
  }
}
