import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from '../services/answers.ts';
import { ELASTICSEARCH_VERSION, installElasticsearch } from '../services/elasticsearch.ts';
import { installJava } from '../services/java.ts';
import { freePort, inNewFolder, launch } from '../services/launch.ts';
import { run } from '../services/run.ts';
import { unprivilegedUser } from '../services/unprivileged-user.ts';
import type { Running } from './target.ts';

const HEAP_MB = 512;

export interface ElasticsearchNode {
  readonly url: string;
  /** Starts it where it was, with what it held. */
  start(): Promise<Running>;
}

/** One node in a folder that outlives its processes. */
export async function installNode(folder: string, port: number): Promise<ElasticsearchNode> {
  const [installed, java] = [await installElasticsearch(), await installJava()];
  const user = unprivilegedUser();
  const [home, url] = [join(folder, 'elasticsearch'), `http://127.0.0.1:${port}`];
  cpSync(join(installed, `elasticsearch-${ELASTICSEARCH_VERSION}`), home, { recursive: true });
  const settings = {
    'http.port': port,
    'transport.port': await freePort(),
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'cluster.routing.allocation.disk.threshold_enabled': false,
    'xpack.security.enabled': false,
  };
  const lines = Object.entries(settings).map(([key, value]) => `\n${key}: ${JSON.stringify(value)}`);
  appendFileSync(join(home, 'config/elasticsearch.yml'), lines.join(''));
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, home]);
  const start = async () => {
    await freePort(port);
    const { pid, stop } = await inNewFolder('elasticsearch', false, (working) =>
      launch({
        name: 'Elasticsearch',
        command: join(home, 'bin/elasticsearch'),
        args: [],
        folder: working,
        env: { ES_JAVA_HOME: java, ES_JAVA_OPTS: `-Xms${HEAP_MB}m -Xmx${HEAP_MB}m` },
        asRoot: false,
        isReady: () => answers(`${url}/_cluster/health?wait_for_status=yellow&timeout=500ms`),
        readyWithinMs: 240_000,
      }),
    );
    return { pid: -pid, stop };
  };
  return { url, start };
}
