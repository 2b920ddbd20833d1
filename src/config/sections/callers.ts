import { z } from 'zod';
import { httpUrl, seconds } from './scalars.ts';

/** Of signatures with a public key: one who can check a token cannot make one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

const Jwt = z.strictObject({
  issuer: httpUrl.optional().describe('Who makes the tokens: what their claim iss says, to the letter'),
  audiences: z
    .array(z.string().min(1))
    .default([])
    .describe('Whom tokens are for: their claim aud names at least one of these'),
  jwksUrl: httpUrl
    .optional()
    .describe("Where the issuer's keys are; without it, its .well-known/openid-configuration says"),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
    .describe('Signatures that are accepted'),
  userClaim: z.string().min(1).default('sub').describe('Claim with the name of the user'),
  groupsClaim: z.string().min(1).default('groups').describe('Claim with the names of the groups'),
  clockToleranceSeconds: seconds.default(30).describe('How far clocks may differ, in s'),
});

const Attempts = z.strictObject({
  windowSeconds: z.int().positive().max(86_400).default(60).describe('Time in which failed attempts are counted, in s'),
  perUserAndAddress: z
    .int()
    .positive()
    .default(10)
    .describe('Failed attempts as one user from one address before they get 429'),
  perAddress: z.int().positive().default(100).describe('The same from one address, whoever they are said to be'),
  perUser: z.int().positive().default(100).describe('The same as one user, wherever they come from'),
});

export const Auth = z.strictObject({
  mode: z
    .enum(['passthrough', 'basic', 'jwt', 'none'])
    .default('passthrough')
    .describe('How callers say who they are: to the MLflow server, by password, by token, or not at all'),
  usersFile: z
    .string()
    .min(1)
    .optional()
    .describe('File of users and hashes of their passwords, as htpasswd -B makes it'),
  groupsFile: z.string().min(1).optional().describe('File of groups, as of Apache: group: user user'),
  jwt: Jwt.prefault({}),
  attempts: Attempts.prefault({}),
});

const rules = z.array(
  z
    .string()
    .regex(/^(?:anyone|authenticated|(?:user|group):.+)$/, 'not anyone, authenticated, user:NAME or group:NAME'),
);

export const Access = z.strictObject({
  read: rules
    .optional()
    .describe(
      'Who may read: anyone, authenticated, user:NAME, group:NAME; without it authenticated, and in mode none anyone',
    ),
  write: rules.optional().describe('Who may do anything else'),
});
