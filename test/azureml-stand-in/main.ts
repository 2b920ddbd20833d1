import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { interrupted } from '../fixtures/interrupted.ts';
import { oneOf } from '../fixtures/one-of.ts';
import { AUDIENCES, type Cloud } from './callers.ts';
import { RULES, type RuleName, type Rules } from './rules.ts';
import { startAzureMlStandIn } from './start-azure-ml-stand-in.ts';

const HELP = `Stands in for the MLflow endpoint of an Azure Machine Learning workspace, over an MLflow server which holds the data,
until Ctrl-C. Prints the tracking URI, the file of its certificate and a token.

Usage: node test/azureml-stand-in/main.ts --upstream URL [options]

  --upstream URL    the MLflow server
  --port N          to listen on (a free one)
  --cloud NAME      whose tokens it takes: ${Object.keys(AUDIENCES).join(', ')} (public)
  --rule NAME=on    switches a rule on or off; may be given again. --rules prints them
  --hours N         how long the token is good for (24)
  --rules           print all rules, with source and how sure they are, and stop
  --help            print this text and stop
`;

const OPTIONS = {
  upstream: { type: 'string' },
  port: { type: 'string', default: '0' },
  cloud: { type: 'string', default: 'public' },
  rule: { type: 'string', multiple: true, default: [] },
  hours: { type: 'string', default: '24' },
  rules: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} satisfies ParseArgsOptionsConfig;

const NAMES = Object.keys(RULES) as RuleName[];
const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return print(HELP);
  if (values.rules) return print(NAMES.map(describeRule).join('\n'));
  const { upstream } = values;
  if (upstream === undefined) throw new Error(`--upstream is missing\n\n${HELP}`);
  const stopped = interrupted();
  const standIn = await startAzureMlStandIn({
    upstream,
    port: toNumber('port', values.port),
    cloud: oneOf<Cloud>('cloud', Object.keys(AUDIENCES) as Cloud[], values.cloud),
    rules: toRules(values.rule),
  });
  const token = standIn.issueToken({ expiresInMs: toNumber('hours', values.hours) * 3_600_000 });
  print(`tracking URI  ${standIn.trackingUri}\ncertificate   ${standIn.caFile}\ntoken         ${token}`);
  if (standIn.httpUrl !== undefined) print(`without TLS   ${standIn.httpUrl}`);
  await new Promise((resolve) => stopped.addEventListener('abort', resolve));
  await standIn.stop();
}

function describeRule(name: RuleName): string {
  const { on, does, source, sure } = RULES[name];
  return `${name}, ${on ? 'on' : 'off'}: ${does} [${source}: ${sure}]`;
}

function toRules(settings: readonly string[]): Partial<Rules> {
  const pairs = settings.map((setting) => {
    const [name = '', value = ''] = setting.split('=');
    return [oneOf<RuleName>('rule', NAMES, name), oneOf('rule', ['on', 'off'], value) === 'on'];
  });
  return Object.fromEntries(pairs);
}

function toNumber(name: string, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new Error(`--${name} takes a number, not ${text}`);
  return number;
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
