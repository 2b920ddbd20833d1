import { serve } from './cli/serve.ts';
import { readVersion } from './cli/version.ts';
import { WORKER_VARIABLE } from './cli/worker.ts';
import { readArguments } from './config/arguments.ts';
import { ConfigError } from './config/config-error.ts';
import { helpOf } from './config/help.ts';
import { loadConfig } from './config/load-config.ts';
import { printConfig } from './config/print-config.ts';
import { createLogger } from './telemetry/logger.ts';

/** Bad configuration: nothing was started. */
const EXIT_CONFIG = 2;

/** Gives the exit code. */
async function main(): Promise<number> {
  if (process.env[WORKER_VARIABLE]) {
    await (await import('./cli/serve-worker.ts')).serveWorker();
    return 0;
  }
  const args = readArguments(process.argv.slice(2));
  if (args.command === 'help') return print(helpOf(args.topic));
  if (args.command === 'version') return print(`${readVersion()}\n`);
  const { config, secrets } = loadConfig(args, process.env);
  if (args.command === 'check-config') return print(printConfig(config));
  const { options } = args;
  if (args.command === 'backfill') return (await import('./cli/run-backfill.ts')).runBackfill(config, secrets, options);
  if (args.command === 'rebuild') return (await import('./cli/run-rebuild.ts')).runRebuild(config, secrets, options);
  if (args.command === 'verify') return (await import('./cli/run-verify.ts')).runVerify(config, secrets, options);
  if (args.command === 'purge') return (await import('./cli/run-purge.ts')).runPurge(config, secrets, options);
  if (args.command === 'index status')
    return (await import('./cli/run-index-status.ts')).runIndexStatus(config, secrets, options);
  const logger = createLogger(config.log);
  if (config.workers > 1) return (await import('./cli/serve-workers.ts')).serveWorkers(config, secrets, logger);
  await serve(config, secrets, logger);
  return 0;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : 1);
}
