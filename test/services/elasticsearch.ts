import { appendFile, cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { ensureProgram, installOnce } from './install.ts';
import { installJava } from './java.ts';
import { answers, freePort, launch, makeFolder, type Service } from './launch.ts';
import { run } from './run.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

export const ELASTICSEARCH_VERSION = '8.19.21';
const ARTIFACT = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${ELASTICSEARCH_VERSION}:zip`;

export interface ElasticsearchOptions {
  /** A free one by default; given, a server can come back where it was. */
  readonly port?: number;
  readonly heapMb?: number;
}

/**
 * Elastic's own server with no modules but transport and security: no scripts, no reindex, no by-query calls, no
 * `wildcard` fields, and nothing at `/`.
 */
export const installElasticsearch = (): Promise<string> =>
  installOnce('elasticsearch', ARTIFACT, async (folder) => {
    const maven = await ensureProgram('maven', () => findProgram(['mvn']));
    const flags = [`-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`, `-DmarkersDirectory=${folder}/maven`];
    await run(maven, ['-B', '-q', 'dependency:unpack', ...flags], {
      cwd: folder,
    });
  });

/** One node without security, its data in a folder of its own. */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<Service> {
  const [installed, javaHome] = [await installElasticsearch(), await installJava()];
  const [port, transportPort] = [options.port ?? (await freePort()), await freePort()];
  const folder = makeFolder('elasticsearch', false);
  const home = join(folder, 'home');
  // The server's user may have no way into our checkout, so each node gets a copy.
  await cp(join(installed, `elasticsearch-${ELASTICSEARCH_VERSION}`), home, {
    recursive: true,
  });
  await mkdir(join(folder, 'tmp'));
  await appendFile(join(home, 'config/elasticsearch.yml'), toYaml(settings(port, transportPort)));
  await giveAway(folder);
  const heap = `${options.heapMb ?? 1024}m`;
  const url = `http://127.0.0.1:${port}`;
  const service = await launch({
    name: 'Elasticsearch',
    command: join(home, 'bin/elasticsearch'),
    args: [],
    folder,
    env: {
      ES_JAVA_HOME: javaHome,
      ES_JAVA_OPTS: `-Xms${heap} -Xmx${heap}`,
      ES_TMPDIR: join(folder, 'tmp'),
    },
    asRoot: false,
    isReady: () => answers(`${url}/_cluster/health?wait_for_status=yellow&timeout=500ms`),
    readyWithinMs: 120_000,
  });
  return { url, ...service };
}

const settings = (port: number, transportPort: number): Record<string, string | number | boolean> => ({
  'discovery.type': 'single-node',
  'network.host': '127.0.0.1',
  'http.port': port,
  'transport.port': transportPort,
  'xpack.security.enabled': false,
  // A developer's full disk is no reason to make indices read-only.
  'cluster.routing.allocation.disk.threshold_enabled': false,
});

const toYaml = (settings: Record<string, string | number | boolean>): string =>
  Object.entries(settings)
    .map(([key, value]) => `\n${key}: ${JSON.stringify(value)}`)
    .join('');

async function giveAway(folder: string): Promise<void> {
  const user = unprivilegedUser();
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
}
