import { parseArgs } from 'node:util';
import { startElasticsearch } from './elasticsearch.ts';
import { startMlflow, startMlflowOverPostgresql } from './mlflow.ts';
import { startRedis } from './redis.ts';

const HELP = `Starts what the gateway needs, with data of its own, until Ctrl-C; the first time, installs it into .services.

Usage: npm run services -- [options]

  --only LIST   which to start, of es,redis,mlflow (all)
  --postgres    MLflow over PostgreSQL instead of SQLite
  --help        print this text and stop

TEST_SERVICES_DIR names another folder to install into.
`;

const OPTIONS = {
  only: { type: 'string' },
  postgres: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const FLAGS = { es: '--elasticsearch', redis: '--redis', mlflow: '--upstream' } as const;
type Name = keyof typeof FLAGS;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(HELP);
  const start = {
    es: startElasticsearch,
    redis: startRedis,
    mlflow: values.postgres ? startMlflowOverPostgresql : startMlflow,
  };
  const names = chosen(values.only);
  const services = await Promise.all(names.map((name) => start[name]()));
  const flags = names.map((name, at) => `${FLAGS[name]} ${services[at]?.url}`);
  console.log(`\nReady. Ctrl-C stops ${names.join(', ')}.\n\nnpm start -- ${flags.join(' ')}\n`);
  await interrupted();
  await Promise.all(services.map((service) => service.stop()));
}

function chosen(only: string | undefined): Name[] {
  const all = Object.keys(FLAGS) as Name[];
  const names = only?.split(',') ?? all;
  const unknown = names.filter((name) => !Object.hasOwn(FLAGS, name));
  if (unknown.length > 0) throw new Error(`--only knows ${all.join(', ')}, not ${unknown.join(', ')}`);
  return all.filter((name) => names.includes(name));
}

function interrupted(): Promise<void> {
  const alive = setInterval(() => {}, 60_000);
  return new Promise((resolve) => {
    const stop = () => {
      clearInterval(alive);
      resolve();
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
  });
}

// Services that did start end with this process.
main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
