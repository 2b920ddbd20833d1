import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from './find-program.ts';
import { ensureProgram } from './install.ts';
import { run } from './run.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

const JVMS = '/usr/lib/jvm';
/** What Elasticsearch 8.19 is supported on. */
const OLDEST = 17;
const NEWEST = 24;

/** The home of a Java that Elasticsearch can run on. */
export const installJava = (): Promise<string> => ensureProgram('default-jre-headless', findJavaHome);

async function findJavaHome(): Promise<string | undefined> {
  for (const home of candidates()) {
    if (await isFitting(home)) return home;
  }
  return undefined;
}

function candidates(): string[] {
  const onPath = findProgram(['java']);
  const homes = [process.env.ES_JAVA_HOME, process.env.JAVA_HOME, onPath && dirname(dirname(realpathSync(onPath)))];
  const installed = existsSync(JVMS) ? readdirSync(JVMS).map((name) => join(JVMS, name)) : [];
  return [...homes.filter((home) => home !== undefined), ...installed];
}

/** Asked as the user who will run it, who may have no way to a Java in somebody's home. */
async function isFitting(home: string): Promise<boolean> {
  const printed = await run(join(home, 'bin/java'), ['-version'], {
    user: unprivilegedUser(),
    cwd: '/',
  }).catch(() => '');
  const version = Number(/version "(\d+)/.exec(printed)?.[1]);
  return version >= OLDEST && version <= NEWEST;
}
