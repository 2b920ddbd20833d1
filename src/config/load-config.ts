import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Arguments } from './arguments.ts';
import { addBackendContradictions } from './backend-contradictions.ts';
import { ConfigError } from './config-error.ts';
import { addContradictions } from './contradictions.ts';
import { complain, give, isTree, type Layers, type Tree, valueAt } from './layers.ts';
import { nearest } from './nearest.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { readSecrets, type Secrets, secretVariables } from './secrets.ts';
import { MAPPED_SETTINGS, SETTINGS } from './settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Puts file, environment and flags together; the later wins.
 * @throws ConfigError with every problem there is.
 */
export function loadConfig(args: Arguments, env: Environment): { config: Config; secrets: Secrets } {
  const layers: Layers = { values: {}, labels: new Map(), problems: [...args.problems] };
  if (args.file !== undefined) addFile(layers, args.file);
  const unknown = addEnvironment(layers, env);
  for (const { path, value, flag } of args.settings) give(layers, path, value, flag);
  const secrets = readSecrets(layers, env);
  complainOfVariables(layers, unknown);
  addContradictions(layers, args.topic);
  addBackendContradictions(layers);
  const parsed = ConfigSchema.safeParse(layers.values);
  for (const issue of parsed.error?.issues ?? []) explain(issue, layers);
  if (!parsed.success || layers.problems.length > 0) throw new ConfigError(layers.problems);
  return { config: parsed.data, secrets };
}

function addFile(layers: Layers, file: string): void {
  const content = readYaml(layers, file);
  if (isTree(content)) Object.assign(layers.values, withoutNulls(content));
  else if (content != null) complain(layers, file, 'not a mapping of keys to values');
}

function readYaml(layers: Layers, file: string): unknown {
  try {
    const document = parseDocument(readFileSync(file, 'utf8'));
    for (const { message } of document.errors) complain(layers, file, message);
    return document.errors.length === 0 ? document.toJS() : undefined;
  } catch (error) {
    complain(layers, file, `cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}

/** A key with nothing behind it counts as not given, so that a section may be emptied by commenting its keys out. */
function withoutNulls(tree: Tree): Tree {
  const given = Object.entries(tree).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([key, value]) => [key, isTree(value) ? withoutNulls(value) : value]));
}

/** Returns the variables that no key has. */
function addEnvironment(layers: Layers, env: Environment): string[] {
  const pathOf = new Map(SETTINGS.map(({ variable, path }) => [variable, path]));
  const ours = Object.entries(env).filter(([variable, value]) => variable.startsWith('GATEWAY_') && value);
  for (const [variable, value = ''] of ours) {
    const path = pathOf.get(variable);
    if (path) give(layers, path, value, variable);
  }
  return ours.map(([variable]) => variable).filter((variable) => !pathOf.has(variable));
}

/** Kubernetes describes a service named `gateway` by such variables. */
const SERVICE_VARIABLE = /_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?$/;

function complainOfVariables(layers: Layers, unknown: readonly string[]): void {
  const secret = secretVariables(layers);
  for (const variable of unknown) {
    if (SERVICE_VARIABLE.test(variable) || secret.includes(variable)) continue;
    complain(
      layers,
      variable,
      `unknown variable${guess(
        variable,
        SETTINGS.map((setting) => setting.variable),
      )}`,
    );
  }
}

function explain(issue: z.core.$ZodIssue, layers: Layers): void {
  const path = issue.path.join('.');
  const value = valueAt(layers, path);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) explainKey(layers, path, key);
  } else {
    const options = issue.code === 'invalid_value' ? issue.values.map(String) : [];
    complain(layers, path, `${issue.message}${guess(String(value), options)}`);
  }
}

function explainKey(layers: Layers, section: string, key: string): void {
  const prefix = section && `${section}.`;
  const asDeclared = prefix.replace(/^backends\.[^.]+\./, 'backends.<id>.');
  const inSection = [...SETTINGS, ...MAPPED_SETTINGS].filter(({ path }) => path.startsWith(asDeclared));
  const known = new Set(inSection.map(({ path }) => path.slice(asDeclared.length).split('.')[0] ?? ''));
  complain(layers, prefix + key, `unknown key${guess(key, known) || `; known are ${[...known].join(', ')}`}`);
}

function guess(word: string, candidates: Iterable<string>): string {
  const likely = nearest(word, candidates);
  return likely ? `; did you mean ${likely}?` : '';
}
