import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { tlsOptionsOf, type UpstreamTls } from '../upstream/upstream-tls.ts';

/** The backend accepted a request and then said nothing for as long as it may. */
export class UpstreamSilence extends Error {
  override readonly name = 'UpstreamSilence';
}

// uvicorn, below MLflow, closes an idle connection after 5 s; a socket kept as long could be closed under a request.
const IDLE_MS = 3_000;
const SWEEP_MS = 1_000;

/**
 * Connections for streams. Idle ones are dropped early; those that are silent under a request for `silenceMs` fail with
 * `UpstreamSilence`.
 */
export function createUpstreamAgent(url: URL, silenceMs: number, tls: UpstreamTls = {}): http.Agent {
  const options = { keepAlive: true, timeout: silenceMs, maxFreeSockets: 64 };
  const agent =
    url.protocol === 'https:' ? new https.Agent({ ...options, ...tlsOptionsOf(tls) }) : new http.Agent(options);
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    const socket = connect(...args);
    // First in line, before the request's own listener, which would destroy the socket without a reason.
    socket?.on('timeout', () => socket.destroy(new UpstreamSilence('The backend fell silent.')));
    return socket;
  };
  dropIdle(agent);
  return agent;
}

/** One sweep for all: a timer a socket, set and reset around each request, costs more than the rest of this file. */
function dropIdle(agent: http.Agent): void {
  const freedAt = new WeakMap<object, number>();
  agent.on('free', (socket: Socket) => freedAt.set(socket, performance.now()));
  const sweep = () => {
    const before = performance.now() - IDLE_MS;
    for (const socket of Object.values(agent.freeSockets).flat())
      if (socket && (freedAt.get(socket) ?? 0) < before) socket.destroy();
  };
  const timer = setInterval(sweep, SWEEP_MS).unref();
  const destroy = agent.destroy.bind(agent);
  agent.destroy = () => {
    clearInterval(timer);
    destroy();
  };
}
