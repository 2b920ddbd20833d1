import type { Command } from './command.ts';

const CONNECTION = `  --upstream URL        the MLflow server, such as http://127.0.0.1:5001
  --elasticsearch URL   Elasticsearch for the runs index, instead of a file; several nodes: URL,URL`;

const OPTIONS = `
Options
${CONNECTION}
  --redis URL           Redis for the cache
  --data-dir DIR        folder for runs and artifacts, or for the runs index when there is an upstream (data)
  --host HOST           address to listen on (127.0.0.1)
  --port PORT           port to listen on (5000)
  --workers N           processes that serve; several need Elasticsearch and Redis (1)
  --config FILE         YAML file with any of the keys of config/default.yaml
  --check-config        say whether the configuration is good, and what it is, and stop
  --version             print the version and stop
  --help                print this text and stop; after a command, that of the command

Every key can also be given by an environment variable: listen.port is GATEWAY_LISTEN_PORT.
Flags win over the environment, the environment over the file.
`;

const GATEWAY = `A tracking gateway for MLflow.

Usage
  npm start -- [options]                           start a tracking server of its own, with files in the data folder
  npm start -- --upstream URL [options]            start the gateway in front of an MLflow server
  npm start -- index status --upstream URL [...]   say how far the index can be trusted
  npm run verify -- --upstream URL [options]       compare the index with the MLflow server
  npm run backfill -- --upstream URL [options]     copy the runs of the MLflow server into the index, then stop
  npm run rebuild -- --upstream URL [options]      have the running gateway build the index anew
  npm run purge -- --redis URL [options]           make void what the cache keeps
${OPTIONS}`;

const SAME = `
and the flags, variables and file that the gateway is started with: they name the index (npm start -- --help).
`;

const INDEX_STATUS = `Says how far the runs index can be trusted.

Usage
  npm start -- index status --upstream URL [options]

Options
  --count               count the runs of each experiment, in the index and in the MLflow server
  --experiment ID       only this experiment; may be repeated
  --json                print JSON
${CONNECTION}
${SAME}
Exit code: 0 every experiment is complete, or excluded for good, so that MLflow answers for it · 1 some experiment is not
recorded, or it could not be found out · 2 bad configuration or usage
`;

const VERIFY = `Compares the runs index with the MLflow server, beside a running gateway, and prints what differs.

Usage
  npm run verify -- --upstream URL [options]

Options
  --full                compare every run
  --sample N            compare some N runs, drawn from every experiment (1000)
  --max-differences N   print at most N runs that differ, and N fields of each (20); all are counted
  --experiment ID       only this experiment; may be repeated
  --json                print JSON
${CONNECTION}
${SAME}
What differs is looked at again for some seconds before it counts, since clients go on writing. Experiments that the index
is not complete for are named and not compared: MLflow answers for them. Ctrl-C ends it with what was found so far.

Exit code: 0 no differences · 1 differences, an experiment that is not recorded yet, or it could not be found out · 2 bad
configuration or usage · 130 Ctrl-C
`;

const BACKFILL = `Copies the runs of the MLflow server into the index again, beside a running gateway, then stops.

Usage
  npm run backfill -- --upstream URL [options]

Options
  --experiment ID       only this experiment; may be repeated
  --json                print JSON when it is done
${CONNECTION}
${SAME}
Exit code: 0 every experiment can be answered from the index · 1 some cannot · 2 bad configuration or usage · 130 Ctrl-C
`;

const REBUILD = `Has the running gateway build the index anew: it fills another one from the MLflow server while searches and writes go
on with the old one, changes over to it at one stroke, and deletes the old one.

Usage
  npm run rebuild -- --upstream URL [options]

Options
  --json                print JSON when it is done
${CONNECTION}
${SAME}
It shows how far the gateway is. Ctrl-C ends the command alone once the gateway has begun.

Exit code: 0 the new index answers and the old one is gone · 1 no gateway took the request up, another rebuild is under way, or
it was given up · 2 bad configuration or usage · 130 Ctrl-C
`;

const PURGE = `Makes void what gateways keep in Redis, and in memory of what is there. The index is not touched.

Usage
  npm run purge -- --redis URL [options]

Options
  --run ID              only what is about this run, searches of its experiment among it; may be repeated; needs --upstream URL,
                        since the MLflow server is asked for the experiment
  --experiment ID       only what is about this experiment and its runs; may be repeated
  --json                print JSON when it is done
  --redis URL           Redis of the cache

and the flags, variables and file that the gateway is started with: they name the Redis and its keys (npm start -- --help).

Exit code: 0 it is void · 1 Redis or the MLflow server does not answer, or there is no such run · 2 bad configuration or usage
`;

/** What `--help` prints. */
export function helpOf(command: Command): string {
  if (command === 'index status') return INDEX_STATUS;
  if (command === 'verify') return VERIFY;
  if (command === 'rebuild') return REBUILD;
  if (command === 'purge') return PURGE;
  return command === 'backfill' ? BACKFILL : GATEWAY;
}
