import { parseArgs } from 'node:util';
import { startElasticsearch } from './elasticsearch.ts';
import { startMlflow } from './mlflow.ts';
import { startRedis } from './redis.ts';

const HELP = `Starts what the gateway needs, with data of its own, until Ctrl-C; the first time, installs it into .services.

Usage: npm run services -- [options]

  --only LIST   which to start, of es,redis,mlflow (all)
  --help        print this text and stop

GATEWAY_SERVICES_DIR names another folder to install into.
`;

const SERVICES = {
  es: { flag: '--elasticsearch', start: () => startElasticsearch() },
  redis: { flag: '--redis', start: () => startRedis() },
  mlflow: { flag: '--upstream', start: () => startMlflow() },
} as const;
type Name = keyof typeof SERVICES;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return console.log(HELP);
  const names = chosen(values.only);
  const started = await Promise.all(
    names.map(async (name) => ({
      name,
      service: await SERVICES[name].start(),
    })),
  );
  const flags = started.map(({ name, service }) => `${SERVICES[name].flag} ${service.url}`);
  console.log(`\nReady. Ctrl-C stops ${names.join(', ')}.\n\nnpm start -- ${flags.join(' ')}\n`);
  await interrupted();
  await Promise.all(started.map(({ service }) => service.stop()));
}

function chosen(only: string | undefined): Name[] {
  const all = Object.keys(SERVICES) as Name[];
  const names = only?.split(',') ?? all;
  const unknown = names.filter((name) => !Object.hasOwn(SERVICES, name));
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
