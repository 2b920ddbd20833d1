import autocannon from 'autocannon';
import { startGateway } from '../test/fixtures/gateway-process.ts';
import { alternate } from './alternate.ts';
import { startChild } from './child-server.ts';
import { cpuTimeMs } from './cpu-time.ts';
import { gatewayEnv } from './gateway-env.ts';
import type { BenchOptions } from './options.ts';
import type { Say } from './progress.ts';
import { median } from './statistics.ts';
import { ANSWER_BYTES } from './tiny-upstream.ts';
import { withServices } from './with-services.ts';

const CONNECTIONS = 16;
const ROUNDS = 9;

interface Contestant {
  readonly url: string;
  readonly pid: number;
}

interface Round {
  readonly requestsPerSecond: number;
  /** CPU the proxy used for one request, in µs; NaN where the system does not tell. */
  readonly cpuMicroseconds: number;
}

/** Medians over the rounds. */
export interface ProxyResult {
  readonly answerBytes: number;
  readonly direct: number;
  readonly gateway: Round;
  readonly bare: Round;
}

/** Throughput of a path the gateway does not own: the gateway and a bare proxy before the same server, in turns. */
export const benchProxy = ({ seconds, profile }: BenchOptions, say: Say): Promise<ProxyResult[]> =>
  withServices(async (open) => {
    const upstream = await open(startChild('tiny-upstream.ts'));
    const bare = await open(startChild('bare-proxy.ts', [upstream.url]));
    const { url, process } = await open(startGateway(['--upstream', upstream.url], gatewayEnv(profile)));
    const gateway = { url, pid: process.pid as number };
    const results: ProxyResult[] = [];
    for (const [path, answerBytes] of Object.entries(ANSWER_BYTES)) {
      say(`Pass-through of ${answerBytes} bytes: ${ROUNDS} rounds of ${seconds} s each`);
      const direct = (await load(upstream, path, seconds)).requestsPerSecond;
      const rounds = await alternate(
        { gateway: () => load(gateway, path, seconds), bare: () => load(bare, path, seconds) },
        ROUNDS,
      );
      results.push({ answerBytes, direct, gateway: mediansOf(rounds.gateway), bare: mediansOf(rounds.bare) });
    }
    return results;
  });

async function load({ url, pid }: Contestant, path: string, seconds: number): Promise<Round> {
  const [cpuBefore, start] = [cpuTimeMs(pid), performance.now()];
  const { requests, errors, non2xx } = await autocannon({
    url: url + path,
    connections: CONNECTIONS,
    duration: seconds,
  });
  const [cpuAfter, end] = [cpuTimeMs(pid), performance.now()];
  if (errors + non2xx > 0) throw new Error(`${url}${path} failed ${errors + non2xx} times`);
  return {
    requestsPerSecond: (requests.total * 1_000) / (end - start),
    cpuMicroseconds: ((cpuAfter - cpuBefore) * 1_000) / requests.total,
  };
}

const mediansOf = (rounds: readonly Round[]): Round => ({
  requestsPerSecond: median(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
  cpuMicroseconds: median(rounds.map(({ cpuMicroseconds }) => cpuMicroseconds)),
});
