import { z } from 'zod';
import { httpUrl, milliseconds } from './scalars.ts';

export const Upstream = z.strictObject({
  url: httpUrl
    .optional()
    .describe(
      'The MLflow server; a path in it is put before every request path. Without it the gateway keeps runs itself',
    ),
  username: z
    .string()
    .regex(/^[^:]+$/, 'not a user name: empty, or with a colon')
    .optional()
    .describe("The gateway's own user name there, for what it asks itself"),
  passwordEnv: z.string().optional().describe('Name of the environment variable that holds the password'),
  tokenEnv: z
    .string()
    .optional()
    .describe('Name of the environment variable that holds a bearer token, instead of user name and password'),
  caFile: z
    .string()
    .optional()
    .describe('PEM file with the certificate authority to trust, when the URL begins with https://'),
  rejectUnauthorized: z
    .boolean()
    .default(true)
    .describe('false accepts any certificate of the MLflow server: for tests only'),
  timeoutMs: milliseconds
    .default(120_000)
    .describe('Silence of the MLflow server after which a request gets 504, in ms'),
  connections: z.int().positive().default(64).describe('Connections kept for searches and writes at most'),
});

export const Permissions = z.strictObject({
  maxAgeSeconds: z
    .int()
    .positive()
    .default(10)
    .describe(
      "How long the word of MLflow's basic-auth app on what a caller may read is taken when a change of it goes past the gateway, in s",
    ),
});
