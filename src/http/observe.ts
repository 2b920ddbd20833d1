import type { ServerResponse } from 'node:http';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Marks } from './marks.ts';

/** Counts and times an answer when it has ended, by what is noted of it until then. */
export function observe(res: ServerResponse & { readonly locals: object }, metrics: Metrics): void {
  const began = performance.now();
  res.on('close', () => {
    const { route = 'refused', source = '', cache = '' } = res.locals as Marks;
    metrics.observe({ route, source, cache, status: res.statusCode, seconds: (performance.now() - began) / 1_000 });
  });
}
