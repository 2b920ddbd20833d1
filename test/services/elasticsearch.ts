import { appendFileSync, cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from './answers.ts';
import { findProgram } from './find-program.ts';
import { ensureProgram, installOnce } from './install.ts';
import { installJava } from './java.ts';
import { freePort, inNewFolder, launch, type Service } from './launch.ts';
import { makeCertificate } from './make-certificate.ts';
import { run } from './run.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

export const ELASTICSEARCH_VERSION = '8.19.21';
const ARTIFACT = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${ELASTICSEARCH_VERSION}:zip`;

export interface ElasticsearchOptions {
  /** A free one by default; given, a server can come back where it was. */
  readonly port?: number;
  readonly heapMb?: number;
  /** Makes the server ask for a name and password, and speak TLS if wanted. */
  readonly security?: Security;
  /** Lines of its `elasticsearch.yml`, besides our own. */
  readonly settings?: Settings;
}

export interface Security {
  readonly password: string;
  readonly tls: boolean;
}

export interface Elasticsearch extends Service {
  /** PEM of the authority to trust, when the server speaks TLS. */
  readonly ca: string | undefined;
}

/** May do everything on a server with security. */
export const ELASTICSEARCH_USER = 'gateway';

/**
 * Elastic's own server with no modules but transport and security: no scripts, no reindex, no by-query calls, no
 * `wildcard` fields, and nothing at `/`.
 */
export const installElasticsearch = (): Promise<string> =>
  installOnce('elasticsearch', ARTIFACT, async (folder) => {
    const maven = await ensureProgram('maven', () => findProgram(['mvn']));
    const flags = [`-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`];
    // Maven skips what notes in its working folder say is unpacked already; this one is new.
    await run(maven, ['-B', '-q', 'dependency:unpack', ...flags], { cwd: folder });
  });

/** One node, its data in a folder of its own. */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<Elasticsearch> {
  const [installed, java] = [await installElasticsearch(), await installJava()];
  const [port, transportPort] = [await freePort(options.port), await freePort()];
  const { heapMb = 1024, security, settings } = options;
  return inNewFolder('elasticsearch', false, async (folder) => {
    const home = join(folder, 'home');
    // The server's user may have no way into our checkout, so each node gets a copy.
    cpSync(join(installed, `elasticsearch-${ELASTICSEARCH_VERSION}`), home, { recursive: true });
    configure(home, { 'http.port': port, 'transport.port': transportPort, ...SETTINGS, ...settings });
    // Left out, the server would make itself a password and a certificate.
    configure(home, { 'xpack.security.enabled': security !== undefined });
    if (security) await secure(home, security, java);
    await giveAway(folder);
    const url = `${security?.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
    const ca = security?.tls ? readFileSync(join(home, 'config', CERTIFICATE), 'utf8') : undefined;
    const auth = security && `${ELASTICSEARCH_USER}:${security.password}`;
    const service = await launch({
      name: 'Elasticsearch',
      command: join(home, 'bin/elasticsearch'),
      args: [],
      folder,
      env: { ES_JAVA_HOME: java, ES_JAVA_OPTS: `-Xms${heapMb}m -Xmx${heapMb}m` },
      asRoot: false,
      isReady: () => answers(`${url}/_cluster/health?wait_for_status=yellow&timeout=500ms`, { auth, ca }),
      readyWithinMs: 240_000,
    });
    return { url, ca, ...service };
  });
}

export type Settings = Readonly<Record<string, string | number | boolean>>;

const SETTINGS: Settings = {
  'discovery.type': 'single-node',
  'network.host': '127.0.0.1',
  // A developer's full disk is no reason to make indices read-only.
  'cluster.routing.allocation.disk.threshold_enabled': false,
};

function configure(home: string, settings: Settings): void {
  const lines = Object.entries(settings).map(([key, value]) => `\n${key}: ${JSON.stringify(value)}`);
  appendFileSync(join(home, 'config/elasticsearch.yml'), lines.join(''));
}

const KEY = 'http-key.pem';
const CERTIFICATE = 'http-certificate.pem';

async function secure(home: string, { password, tls }: Security, java: string): Promise<void> {
  const config = join(home, 'config');
  if (tls) await makeCertificate(join(config, KEY), join(config, CERTIFICATE));
  configure(home, {
    'xpack.security.http.ssl.enabled': tls,
    ...(tls && { 'xpack.security.http.ssl.key': KEY, 'xpack.security.http.ssl.certificate': CERTIFICATE }),
  });
  const user = ['useradd', ELASTICSEARCH_USER, '-p', password, '-r', 'superuser'];
  await run(join(home, 'bin/elasticsearch-users'), user, { env: { ...process.env, ES_JAVA_HOME: java } });
}

/** What root has prepared becomes the server's. */
async function giveAway(folder: string): Promise<void> {
  const user = unprivilegedUser();
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
}
