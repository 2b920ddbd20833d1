import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Endpoint } from '../../../src/http/endpoints.ts';
import { rememberPlans, type Wording, wordingOfBody, wordingOfQuery } from '../../../src/http/remember-plans.ts';
import type { Consistency, PlannedRead } from '../../../src/plan/read.ts';

const { signal } = new AbortController();

/** Notes what it plans and what it fetches. */
function openEndpoint(name: string) {
  const planned: unknown[] = [];
  const fetched: unknown[] = [];
  const state = { understands: true };
  const endpoint: Endpoint = {
    name,
    methods: ['POST'],
    schema: z.unknown(),
    plan(input, consistency) {
      planned.push(input);
      if (input === undefined || !state.understands) return { kind: 'fields', detail: '' };
      return {
        resource: 'run',
        concern: { kind: 'experiments' },
        key: `${name} ${JSON.stringify(input)}`,
        dependsOn: [name],
        async fetch() {
          fetched.push([input, consistency]);
          return { status: 200, contentType: '', body: Buffer.from(JSON.stringify(input)), source: 'index' };
        },
      };
    },
  };
  return { endpoint, planned, fetched, state };
}

const json = (value: unknown) => wordingOfBody(Buffer.from(JSON.stringify(value)));
const readOf = (planned: ReturnType<ReturnType<typeof rememberPlans>>) => {
  if ('kind' in planned) throw new Error('It was declined.');
  return planned;
};

describe('a request in the same words', () => {
  it('is planned once, and again to be fetched', async () => {
    const { endpoint, planned, fetched } = openEndpoint('runs/search');
    const plan = rememberPlans();
    const asked = (consistency?: Consistency): PlannedRead => readOf(plan(endpoint, json({ a: 'é' }), consistency));
    const [first, second] = [asked(), asked('eventual')];
    expect([second.key, second.dependsOn]).toEqual([first.key, first.dependsOn]);
    expect(planned).toHaveLength(1);
    const answer = await second.fetch(signal);
    expect(answer.body.toString()).toBe('{"a":"é"}');
    expect(planned).toHaveLength(2);
    // With what is asked now, not with what was asked then.
    expect(fetched).toEqual([[{ a: 'é' }, 'eventual']]);
  });

  it('is declined each time until it is understood', () => {
    const { endpoint, state } = openEndpoint('runs/search');
    const plan = rememberPlans();
    state.understands = false;
    expect(plan(endpoint, json({}))).toEqual({ kind: 'fields', detail: '' });
    state.understands = true;
    expect(readOf(plan(endpoint, json({}))).key).toBe('runs/search {}');
  });

  it('fails to be fetched when it is no longer understood', async () => {
    const { endpoint, state } = openEndpoint('runs/search');
    const plan = rememberPlans();
    plan(endpoint, json({}));
    const again = readOf(plan(endpoint, json({})));
    state.understands = false;
    await expect(again.fetch(signal)).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
  });

  it.each([4_096, 4_097])('is remembered up to 4,096 bytes: %i', (length) => {
    const { endpoint, planned } = openEndpoint('runs/search');
    const plan = rememberPlans();
    const wording = json('x'.repeat(length - 2));
    expect(wording.length).toBe(length);
    for (let i = 0; i < 3; i++) plan(endpoint, wording);
    expect(planned).toHaveLength(length > 4_096 ? 3 : 1);
  });
});

describe('a request in other words', () => {
  const body = '{"filter":""}';
  it.each<[string, string, Wording]>([
    ['to another endpoint', 'runs/search', wordingOfBody(Buffer.from(body))],
    ['as a query', 'experiments/search', wordingOfQuery(body)],
    ['in other bytes', 'experiments/search', wordingOfBody(Buffer.from(`${body} `))],
    ['in bytes that look alike', 'experiments/search', wordingOfBody(Buffer.from('{"filter":"Ã©"}'))],
  ])('is another: %s', (_, name, wording) => {
    const { endpoint, planned } = openEndpoint('experiments/search');
    const plan = rememberPlans();
    for (const text of [body, '{"filter":"é"}']) plan(endpoint, wordingOfBody(Buffer.from(text)));
    expect(planned).toHaveLength(2);
    plan({ ...endpoint, name }, wording);
    expect(planned).toHaveLength(3);
  });
});
