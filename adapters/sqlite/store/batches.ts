import { pythonRepr } from '../../../src/domain/python-text.ts';
import { invalidParameter } from '../../../src/errors/gateway-error.ts';
import type { KeyValue, RunBatch, TrackingStore } from '../../../src/plan/tracking-store.ts';
import type { Statements } from '../statements.ts';
import { addMetrics } from './metrics.ts';
import { addParamsOfBatch } from './params.ts';
import { refreshRunText } from './refresh-run-text.ts';
import { findActiveRun } from './run-rows.ts';
import { setTags } from './tags.ts';
import { validateMetric } from './validate-metric.ts';
import { validateParam } from './validate-param.ts';
import { validateRunId } from './validate-run-id.ts';
import { validateTag } from './validate-tag.ts';

/**
 * All that can be refused is refused before a row is written, but for a conflict of params, which come first: so nothing
 * of a refused batch stays.
 */
export const batches = (statements: Statements): Pick<TrackingStore, 'logBatch'> => ({
  logBatch(batch) {
    validateRunId(batch.runId);
    batch.metrics.forEach((metric, at) => {
      validateMetric(metric, `metrics[${at}].`);
    });
    const params = batch.params.map((param, at) => validateParam(param, `params[${at}].`));
    const tags = batch.tags.map((tag, at) => validateTag(tag, `tags[${at}].`));
    validateSize(batch);
    validateParamKeys(params);
    const run = findActiveRun(statements, batch.runId);
    addParamsOfBatch(statements, run, params);
    addMetrics(statements, run.id, batch.metrics);
    setTags(statements, run.id, tags);
    refreshRunText(statements, run.id);
  },
});

const LIMITS = { metrics: 1_000, params: 100, tags: 100, all: 1_000 };

function validateSize({ metrics, params, tags }: RunBatch): void {
  atMost(LIMITS.metrics, 'metrics', metrics.length);
  atMost(LIMITS.params, 'params', params.length);
  atMost(LIMITS.tags, 'tags', tags.length);
  atMost(LIMITS.all, 'metrics, params, and tags', metrics.length + params.length + tags.length);
}

function atMost(limit: number, what: string, count: number): void {
  if (count <= limit) return;
  throw invalidParameter(
    `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. ` +
      `Please split up ${what} across multiple requests and try again.`,
  );
}

function validateParamKeys(params: readonly KeyValue[]): void {
  const seen = new Set<string>();
  const repeated = params.filter(({ key }) => seen.size === seen.add(key).size);
  if (repeated.length === 0) return;
  throw invalidParameter(
    `Duplicate parameter keys have been submitted: ${pythonRepr(repeated.map(({ key }) => key))}. ` +
      'Please ensure the request contains only one param value per param key.',
  );
}
