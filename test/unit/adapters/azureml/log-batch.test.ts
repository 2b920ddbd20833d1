import { expect, it } from 'vitest';
import { logBatch } from '../../../../adapters/azureml/log-batch.ts';
import { GatewayError } from '../../../../src/errors/gateway-error.ts';
import type { Requester, UpstreamResponse } from '../../../../src/upstream/upstream-client.ts';

const metrics = Array.from({ length: 600 }, (_, step) => ({ key: 'm', value: 0.5, step }));
const BATCH = JSON.stringify({ run_id: 'a', metrics, params: [{ key: 'p', value: '1' }] });

const answer = (status: number, body: unknown): UpstreamResponse => ({
  status,
  headers: { 'content-type': 'application/json', 'retry-after': '7', 'content-length': '2' },
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const OK = answer(200, {});

/** A client that gives these answers in turn. */
function clientOf(...answers: (UpstreamResponse | Error)[]) {
  const sent: string[] = [];
  const client: Requester = {
    async request({ path, body }) {
      expect(path).toBe('/api/2.0/mlflow/runs/log-batch');
      sent.push(String(body));
      const next = answers[sent.length - 1] ?? OK;
      if (next instanceof Error) throw next;
      return next;
    },
  };
  return { client, sent };
}

it('sends a batch that fits as it came', async () => {
  const { client, sent } = clientOf();
  const body = ' {"run_id": "a", "metrics": []}';
  expect(await logBatch(client, body)).toBe(OK);
  expect(sent).toEqual([body]);
});

it('sends a larger one piece by piece', async () => {
  const { client, sent } = clientOf();
  expect(await logBatch(client, BATCH)).toBe(OK);
  expect(sent.map((body) => (JSON.parse(body) as { metrics: unknown[] }).metrics.length)).toEqual([250, 250, 100]);
});

it('passes on what the first piece is answered, as it is', async () => {
  const refused = answer(400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'No.' });
  const { client, sent } = clientOf(refused);
  expect(await logBatch(client, BATCH)).toBe(refused);
  expect(sent).toHaveLength(1);
});

it.each([
  [{ error_code: 'REQUEST_LIMIT_EXCEEDED', message: 'Slow down.' }, 'REQUEST_LIMIT_EXCEEDED', 'Slow down.'],
  ['<html>', 'INTERNAL_ERROR', '429'],
])('says what was written when a later piece fails: %j', async (body, code, message) => {
  const { client, sent } = clientOf(OK, answer(429, body));
  const last = await logBatch(client, BATCH);
  expect(last.status).toBe(429);
  expect(last.headers).toEqual({ 'content-type': 'application/json', 'retry-after': '7' });
  expect(JSON.parse(last.body.toString())).toEqual({
    error_code: code,
    message: `The batch was written in part, its params and tags and the first 250 of 600 values of metrics; then: ${message}`,
  });
  expect(sent).toHaveLength(2);
});

it('says it when there is no answer to a later piece', async () => {
  const { client } = clientOf(OK, OK, new GatewayError('DEADLINE_EXCEEDED', 'Too late.'));
  await expect(logBatch(client, BATCH)).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: expect.stringMatching(/the first 500 of 600 values of metrics; then: Too late\.$/),
  });
});

it('passes on that there is none to the first', async () => {
  const away = new GatewayError('TEMPORARILY_UNAVAILABLE', 'Away.');
  await expect(logBatch(clientOf(away).client, BATCH)).rejects.toBe(away);
});
