import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { CLOUDS, type CloudName, createTokenSource, workspaceAddress } from '../../adapters/azureml/index.ts';
import { oneOf } from '../fixtures/one-of.ts';
import { probeWorkspace } from './probe-workspace.ts';
import { WorkspaceReader } from './workspace-reader.ts';

const HELP = `Asks a real Azure Machine Learning workspace what the stand-in of the tests holds to be true of it, by some fifty reads of
one experiment. Nothing is written. A line with ! is a rule that is otherwise there.

Usage: npm run probe:azureml -- --tracking-uri azureml://... [options]

  --tracking-uri URI  as the workspace reports it (az ml workspace show --query mlflow_tracking_uri)
  --cloud NAME        ${Object.keys(CLOUDS).join(', ')} (by the host)
  --credential KIND   who asks: cli, default, managed-identity, workload-identity (cli)
  --token-env NAME    instead, a token in this environment variable
  --ca-file FILE      certificate authority to trust, for a stand-in
  --experiment ID     with a run that has params, tags and metrics (the first that has)
  --json              print the findings as JSON when done
  --help              print this text and stop
`;

const OPTIONS = {
  'tracking-uri': { type: 'string' },
  cloud: { type: 'string' },
  credential: { type: 'string', default: 'cli' },
  'token-env': { type: 'string' },
  'ca-file': { type: 'string' },
  experiment: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} satisfies ParseArgsOptionsConfig;

const KINDS = ['cli', 'default', 'managed-identity', 'workload-identity'] as const;
const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return print(HELP);
  const { 'tracking-uri': trackingUri, 'token-env': tokenEnv, 'ca-file': caFile } = values;
  if (trackingUri === undefined) throw new Error(`--tracking-uri is missing\n\n${HELP}`);
  const cloud = values.cloud && oneOf<CloudName>('cloud', Object.keys(CLOUDS) as CloudName[], values.cloud);
  const address = workspaceAddress({ trackingUri }, cloud ? { cloud } : {});
  const credential =
    tokenEnv === undefined
      ? { kind: oneOf<(typeof KINDS)[number]>('credential', KINDS, values.credential) }
      : { kind: 'static' as const, token: tokenIn(tokenEnv) };
  const reader = new WorkspaceReader({ address, tokens: createTokenSource(credential, address.cloud), caFile });
  const report = await probeWorkspace(reader, values.experiment, values.json ? () => {} : print);
  if (values.json) print(JSON.stringify(report, null, 2));
  await reader.close();
}

function tokenIn(name: string): string {
  const token = process.env[name];
  if (!token) throw new Error(`--token-env: the variable ${name} is not set`);
  return token;
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
