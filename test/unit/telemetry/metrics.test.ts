import { describe, expect, it } from 'vitest';
import { Metrics } from '../../../src/telemetry/metrics.ts';

describe('Metrics', () => {
  it('counts answers by what they were', async () => {
    const metrics = new Metrics();
    const hit = { route: 'runs/search', source: 'cache', cache: 'HIT', status: 200, seconds: 0.002 };
    metrics.observe(hit);
    metrics.observe(hit);
    metrics.observe({ ...hit, status: 503 });
    metrics.handedOn('runs/search', 'fields');
    metrics.indexFailed();
    const text = await metrics.render();
    expect(text).toContain('gateway_requests_total{route="runs/search",source="cache",cache="HIT",status="200"} 2\n');
    expect(text).toContain('gateway_requests_total{route="runs/search",source="cache",cache="HIT",status="503"} 1\n');
    expect(text).toContain('gateway_request_seconds_bucket{le="0.0025",route="runs/search",source="cache"} 3\n');
    expect(text).toContain('gateway_handed_on_total{route="runs/search",reason="fields"} 1\n');
    expect(text).toContain('gateway_index_failures_total 1\n');
  });

  it('reads a gauge when it is asked', async () => {
    const metrics = new Metrics();
    let value = 1;
    metrics.gauge('gateway_test', 'A test.', () => value);
    value = 7;
    expect(await metrics.render()).toContain('gateway_test 7\n');
  });
});
