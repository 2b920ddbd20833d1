import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from './answers.ts';
import { findProgram } from './find-program.ts';
import { ensureProgram, installOnce } from './install.ts';
import { freePort, inNewFolder, launch, type Service } from './launch.ts';
import { type PostgresqlOptions, startPostgresql } from './postgresql.ts';
import { run } from './run.ts';

export const MLFLOW_VERSION = '3.17.2';
const PACKAGES = [`mlflow[auth]==${MLFLOW_VERSION}`, 'psycopg2-binary'];

export interface MlflowOptions {
  /** A free one by default; given, a server can come back where it was. */
  readonly port?: number;
  /** Where experiments and runs are kept, as SQLAlchemy writes it; by default a new SQLite file, removed on stop. */
  readonly backendStoreUri?: string;
  readonly workers?: number;
  /** With users and their rights, by MLflow's `basic-auth` app; without it, anybody may do anything. */
  readonly auth?: MlflowAuth;
  /** More flags of `mlflow server`. */
  readonly args?: readonly string[];
}

export interface MlflowAuth {
  /** Of the user `admin`. */
  readonly adminPassword: string;
  /** What users may do with what they were given no right to. */
  readonly defaultPermission: 'NO_PERMISSIONS' | 'READ';
  /** How long it takes a password's word, which it finds out in a tenth of a second or more, in s; 0: not at all. */
  readonly passwordCacheSeconds?: number;
}

/** The Python of a virtual environment that has MLflow: for its server, and for scripts that use its client. */
export async function installMlflow(): Promise<string> {
  const folder = await installOnce('mlflow', PACKAGES.join(' '), async (venv) => {
    const python = await ensureProgram('python3-venv', findPythonWithVenv);
    await run(python, ['-m', 'venv', venv]);
    await run(pythonOf(venv), ['-m', 'pip', 'install', '-q', ...PACKAGES]);
  });
  return pythonOf(folder);
}

const pythonOf = (venv: string): string => join(venv, 'bin/python');

/** Debian splits `ensurepip`, without which an environment has no pip, from its `python3`. */
async function findPythonWithVenv(): Promise<string | undefined> {
  const python = findProgram(['python3']);
  if (!python) return undefined;
  return run(python, ['-c', 'import ensurepip, venv']).then(
    () => python,
    () => undefined,
  );
}

/** An MLflow server that serves artifacts too, with its data in a folder of its own. */
export async function startMlflow(options: MlflowOptions = {}): Promise<Service> {
  const python = await installMlflow();
  const port = await freePort(options.port);
  const url = `http://127.0.0.1:${port}`;
  return inNewFolder('mlflow', true, async (folder) => {
    const service = await launch({
      name: 'MLflow',
      command: python,
      args: ['-m', 'mlflow', 'server', '--port', `${port}`, ...flags(folder, options)],
      folder,
      env: { ...ENVIRONMENT, ...(options.auth && prepareAuth(folder, options.auth)) },
      asRoot: true,
      isReady: () => answers(`${url}/health`),
      readyWithinMs: 240_000,
    });
    return { url, ...service };
  });
}

/** Writes the app's configuration. */
function prepareAuth(folder: string, { adminPassword, defaultPermission, passwordCacheSeconds = 0 }: MlflowAuth) {
  const file = join(folder, 'basic-auth.ini');
  const lines = [
    '[mlflow]',
    `default_permission = ${defaultPermission}`,
    `database_uri = sqlite:///${join(folder, 'basic-auth.db')}`,
    'admin_username = admin',
    `admin_password = ${adminPassword}`,
    'authorization_function = mlflow.server.auth:authenticate_request_basic_auth',
    `auth_cache_ttl_seconds = ${passwordCacheSeconds}`,
  ];
  writeFileSync(file, lines.join('\n'));
  return { MLFLOW_AUTH_CONFIG_PATH: file, MLFLOW_FLASK_SERVER_SECRET_KEY: adminPassword };
}

const flags = (folder: string, { backendStoreUri, workers = 1, auth, args = [] }: MlflowOptions): string[] => [
  ...(auth ? ['--app-name', 'basic-auth'] : []),
  ...['--host', '127.0.0.1', '--workers', `${workers}`, '--serve-artifacts'],
  ...['--artifacts-destination', join(folder, 'artifacts')],
  ...['--backend-store-uri', backendStoreUri ?? `sqlite:///${join(folder, 'mlflow.db')}`],
  ...args,
];

const ENVIRONMENT = {
  MLFLOW_DISABLE_TELEMETRY: 'true',
  DO_NOT_TRACK: 'true',
  // Eight more processes and 2 GB for scheduled jobs over traces, which nothing here uses.
  MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
};

/** MLflow over a PostgreSQL of its own; both stop together. */
export async function startMlflowOverPostgresql(options: MlflowOptions & PostgresqlOptions = {}): Promise<Service> {
  const database = await startPostgresql(options);
  try {
    const server = await startMlflow({ ...options, backendStoreUri: database.url });
    return { ...server, stop: () => server.stop().finally(() => database.stop()) };
  } catch (error) {
    await database.stop();
    throw error;
  }
}
