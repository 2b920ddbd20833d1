import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from './find-program.ts';
import { ensureProgram } from './install.ts';
import { freePort, inNewFolder, launch, logFile, type Service } from './launch.ts';
import { run } from './run.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

const DEBIAN = '/usr/lib/postgresql';

export interface PostgresqlOptions {
  /** How text compares: by code point (default), or as people of a language sort it. MLflow's answers follow it. */
  readonly collation?: 'C.UTF-8' | 'icu-en-US';
}

const COLLATION_FLAGS = {
  'C.UTF-8': ['--locale=C.UTF-8'],
  'icu-en-US': ['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US'],
} as const;

/** The folder of PostgreSQL's programs. */
export const installPostgresql = async (): Promise<string> => dirname(await ensureProgram('postgresql', findInitdb));

function findInitdb(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return findProgram(
    ['initdb'],
    versions.map((version) => join(DEBIAN, version, 'bin')),
  );
}

/** A new database server; `url` is an empty database in it, as SQLAlchemy and so MLflow writes it. */
export async function startPostgresql({ collation = 'C.UTF-8' }: PostgresqlOptions = {}): Promise<Service> {
  const programs = await installPostgresql();
  return inNewFolder('postgres', false, async (folder) => {
    const data = join(folder, 'data');
    const flags = [
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--no-sync',
      ...COLLATION_FLAGS[collation],
    ];
    const user = unprivilegedUser();
    await run(join(programs, 'initdb'), ['-D', data, ...flags], { cwd: folder, user });
    const port = await freePort();
    const service = await launch({
      name: 'PostgreSQL',
      command: join(programs, 'postgres'),
      args: ['-D', data, '-h', '127.0.0.1', '-p', `${port}`, '-k', '', '-c', 'fsync=off'],
      folder,
      asRoot: false,
      stopSignal: 'SIGINT', // to its leader the fast shutdown, which does not wait for clients
      isReady: async () => readFileSync(logFile(folder), 'utf8').includes('ready to accept connections'),
      readyWithinMs: 30_000,
    });
    return { url: `postgresql+psycopg2://postgres@127.0.0.1:${port}/postgres`, ...service };
  });
}
