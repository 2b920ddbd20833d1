import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from '../services/answers.ts';
import { ELASTICSEARCH_VERSION, installElasticsearch } from '../services/elasticsearch.ts';
import { installJava } from '../services/java.ts';
import { freePort, inNewFolder, launch } from '../services/launch.ts';
import { run } from '../services/run.ts';
import { unprivilegedUser } from '../services/unprivileged-user.ts';
import type { Running } from './target.ts';

/** Of one node, and of each of several, in MB. */
const HEAP_ALONE = 512;
const HEAP_OF_SEVERAL = 384;

export interface ElasticsearchNode {
  readonly url: string;
  /** Starts it where it was, with what it held. Resolves when the cluster is whole. */
  start(): Promise<Running>;
  /** Whether the cluster has chosen it as master. */
  isMaster(): Promise<boolean>;
}

interface Ports {
  readonly http: number;
  readonly transport: number;
}

const nameOf = (at: number) => `node-${at + 1}`;

/** The nodes of one cluster, each in a folder that outlives its processes. Several have to be started at the same time. */
export async function installNodes(folder: string, ports: readonly Ports[]): Promise<ElasticsearchNode[]> {
  const [installed, java] = [await installElasticsearch(), await installJava()];
  const user = unprivilegedUser();
  const discovery =
    ports.length === 1
      ? { 'discovery.type': 'single-node' }
      : {
          'discovery.seed_hosts': ports.map(({ transport }) => `127.0.0.1:${transport}`),
          'cluster.initial_master_nodes': ports.map((_, at) => nameOf(at)),
        };
  // A node alone has no second place for the index.
  const whole = ports.length === 1 ? 'wait_for_status=yellow' : `wait_for_status=green&wait_for_nodes=${ports.length}`;
  const heap = ports.length === 1 ? HEAP_ALONE : HEAP_OF_SEVERAL;
  const nodes: ElasticsearchNode[] = [];
  for (const [at, { http, transport }] of ports.entries()) {
    const [home, url] = [join(folder, `elasticsearch-${nameOf(at)}`), `http://127.0.0.1:${http}`];
    cpSync(join(installed, `elasticsearch-${ELASTICSEARCH_VERSION}`), home, { recursive: true });
    const settings = {
      ...discovery,
      'node.name': nameOf(at),
      'http.port': http,
      'transport.port': transport,
      'network.host': '127.0.0.1',
      'cluster.routing.allocation.disk.threshold_enabled': false,
      'xpack.security.enabled': false,
    };
    const lines = Object.entries(settings).map(([key, value]) => `\n${key}: ${JSON.stringify(value)}`);
    appendFileSync(join(home, 'config/elasticsearch.yml'), lines.join(''));
    if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, home]);
    const start = async () => {
      await freePort(http);
      const { pid, stop } = await inNewFolder('elasticsearch', false, (working) =>
        launch({
          name: 'Elasticsearch',
          command: join(home, 'bin/elasticsearch'),
          args: [],
          folder: working,
          env: { ES_JAVA_HOME: java, ES_JAVA_OPTS: `-Xms${heap}m -Xmx${heap}m` },
          asRoot: false,
          isReady: () => answers(`${url}/_cluster/health?${whole}&timeout=500ms`),
          readyWithinMs: 240_000,
        }),
      );
      return { pid: -pid, stop };
    };
    const isMaster = async () => {
      const answer = await fetch(`${url}/_cat/master?h=node`);
      return (await answer.text()).trim() === nameOf(at);
    };
    nodes.push({ url, start, isMaster });
  }
  return nodes;
}
