import { z } from 'zod';
import { httpUrl, milliseconds } from './scalars.ts';
import { Upstream } from './upstream.ts';

/**
 * What begins ids of MLflow's own (logged models, traces, evaluation datasets …), and what the first backend is called: with
 * such an id for a backend it could not be told whose a thing is.
 */
const RESERVED = ['default', 'a', 'ae', 'bp', 'd', 'dr', 'e', 'gr', 'iss', 'ls', 'm', 'rq', 's', 'tr'];

const Id = z
  .string()
  .regex(/^[a-z0-9]{1,16}$/, 'not a short name of lower-case letters and digits')
  .refine((id) => !RESERVED.includes(id), `not one of ${RESERVED.join(', ')}, which mean something in ids already`)
  .refine(
    (id) => !/^(?:\d+|[0-9a-f]{8})$/.test(id),
    'not a number, nor eight hexadecimal digits, as ids begin with them',
  );

const Backend = Upstream.omit({ azure: true }).extend({
  url: httpUrl.describe('The MLflow server; a path in it is put before every request path'),
  namePrefix: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('What names of its experiments begin with for callers; without it, its id and a slash'),
  dialect: z
    .enum(['auto', 'sqlite', 'postgresql', 'postgresql-c', 'mysql'])
    .default('auto')
    .describe('Database below it, as dialect is for the first one'),
});

/** More servers than the one of `upstream`, by their ids. */
export const BackendsSection = z.record(Id, Backend);

export const Federation = z.strictObject({
  partial: z
    .enum(['fail', 'allow'])
    .default('fail')
    .describe(
      'Searches over several backends of which some do not answer: fail with 503, or allow the rest, named in X-Gateway-Missing',
    ),
  timeoutMs: milliseconds
    .default(30_000)
    .describe('How long a backend may take for its share of a search over several, in ms'),
  registry: z.string().default('default').describe('The backend that keeps registered models'),
});
