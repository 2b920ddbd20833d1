import http from 'node:http';
import https from 'node:https';

/** The backend accepted a request and then said nothing for as long as it may. */
export class UpstreamSilence extends Error {
  override readonly name = 'UpstreamSilence';
}

// uvicorn, below MLflow, closes an idle connection after 5 s; a socket kept as long could be closed under a request.
const IDLE_MS = 4_000;

/** Connections for streams. Idle ones are dropped early, those that fall silent under a request fail with `UpstreamSilence`. */
export function createUpstreamAgent(url: URL): http.Agent {
  const options = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: 64 };
  const agent = url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    const socket = connect(...args);
    // First in line, before the request's own listener, which would destroy the socket without a reason.
    socket?.on('timeout', () => socket.destroy(new UpstreamSilence('The backend fell silent.')));
    return socket;
  };
  return agent;
}
