import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Enough to see what is wrong. */
const MOST_KEPT = 100;
const LOG_BEFORE_MS = 15_000;
const LOG_AFTER_MS = 2_000;

interface Kept {
  readonly at: string;
  readonly problem: string;
  readonly details: object;
}

/** Everything that should not have been seen, with what is needed to find out why. */
export class Evidence {
  readonly #kept: Kept[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The first of the problems, a line each. */
  get problems(): readonly string[] {
    return this.#kept.map(({ at, problem }) => `${at} ${problem}`);
  }

  add(problem: string, details: object): void {
    this.#count++;
    if (this.#kept.length < MOST_KEPT)
      this.#kept.push({
        at: new Date().toISOString(),
        problem,
        details: { seenAt: performance.now(), ...structuredClone(details) },
      });
  }

  /** A file for each problem, with what the gateway logged around it. */
  write(folder: string, gatewayLog: string): void {
    const lines = gatewayLog.split('\n').map((line) => ({ line, at: timeOf(line) }));
    for (const [i, { at, problem, details }] of this.#kept.entries()) {
      const seen = Date.parse(at);
      const log = lines.filter((entry) => entry.at > seen - LOG_BEFORE_MS && entry.at < seen + LOG_AFTER_MS);
      const content = { at, problem, ...details, log: log.map(({ line }) => line) };
      writeFileSync(join(folder, `difference-${i + 1}.json`), `${JSON.stringify(content, plain, 2)}\n`);
    }
    writeFileSync(join(folder, 'gateway.log'), gatewayLog);
  }
}

const timeOf = (line: string): number => Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? '');

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`;
  if (value instanceof Map) return Object.fromEntries(value);
  return value === Number.POSITIVE_INFINITY ? 'open' : value;
}
