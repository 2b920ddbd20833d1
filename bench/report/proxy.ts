import type { ProxyResult } from '../proxy.ts';
import { table, whole } from './markdown.ts';

export function describeProxy(results: readonly ProxyResult[]): string {
  const rows = results.map(({ answerBytes, direct, gateway, bare }) => [
    `${answerBytes} bytes`,
    whole(direct),
    whole(bare.requestsPerSecond),
    whole(gateway.requestsPerSecond),
    (gateway.requestsPerSecond / bare.requestsPerSecond).toFixed(2),
    whole(bare.cpuMicroseconds),
    whole(gateway.cpuMicroseconds),
  ]);
  return `## Pass-through

GETs of a path the gateway does not own, 16 connections, medians of rounds in turns. Requests a second, and CPU of the proxy
for each request in µs.

${table(['answer', 'no proxy', 'bare proxy', 'gateway', 'ratio', 'CPU, bare', 'CPU, gateway'], rows)}`;
}
