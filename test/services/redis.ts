import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './find-program.ts';
import { ensureProgram } from './install.ts';
import { freePort, inNewFolder, launch, type Service } from './launch.ts';
import { makeCertificate } from './make-certificate.ts';

export interface RedisOptions {
  /** A free one by default; given, a server can come back where it was. */
  readonly port?: number;
  /** More of its command line. */
  readonly args?: readonly string[];
  /** What another one saved, to begin with. */
  readonly dump?: Buffer | undefined;
}

export const installRedis = (): Promise<string> => ensureProgram('redis-server', () => findProgram(['redis-server']));

/** Redis that keeps everything in memory and, unless it is told to save, nothing on disk. */
export async function startRedis(options: RedisOptions = {}): Promise<Service> {
  const port = await freePort(options.port);
  const service = await inNewFolder('redis', true, (folder) => launchRedis(folder, port, options));
  return { url: `redis://127.0.0.1:${port}`, ...service };
}

export interface SecureRedis extends Service {
  /** PEM text of the authority of its certificate. */
  readonly ca: string;
}

/** Redis behind TLS that lets in one user with these rules, such as `>password ~prefix:* +@all`, and nobody else. */
export async function startSecureRedis(user: string, rules: readonly string[]): Promise<SecureRedis> {
  const [port, tlsPort] = [await freePort(), await freePort()];
  return inNewFolder('redis', true, async (folder) => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    await makeCertificate(key, certificate);
    const ca = readFileSync(certificate, 'utf8');
    const tls = ['--tls-port', `${tlsPort}`, '--tls-key-file', key, '--tls-cert-file', certificate];
    const args = [...tls, '--tls-auth-clients', 'no', '--user', 'default', 'off', '--user', user, 'on', ...rules];
    return { url: `rediss://127.0.0.1:${tlsPort}`, ca, ...(await launchRedis(folder, port, { args })) };
  });
}

async function launchRedis(folder: string, port: number, { args = [], dump }: RedisOptions) {
  if (dump) writeFileSync(join(folder, 'dump.rdb'), dump);
  const place = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder];
  return launch({
    name: 'Redis',
    command: await installRedis(),
    args: [...place, '--save', '', '--appendonly', 'no', ...args],
    folder,
    asRoot: true,
    // One that asks for a password is ready as well.
    isReady: async () => /^(\+PONG|-NOAUTH)/.test(await askRedis(port, 'PING')),
    readyWithinMs: 20_000,
  });
}

/** Has a Redis on this machine save what it holds, for another one to begin with. It goes on answering, however slow the disk. */
export async function saveRedis(port: number): Promise<Buffer> {
  await askRedis(port, 'BGSAVE');
  while ((await askRedis(port, 'INFO persistence')).includes('rdb_bgsave_in_progress:1')) await sleep(5);
  const [, , , , folder = ''] = (await askRedis(port, 'CONFIG GET dir')).split('\r\n');
  return readFileSync(join(folder, 'dump.rdb'));
}

/** Sends inline commands to a Redis on this machine and gives the first piece of its answer, or what has come after so many ms. */
export function askRedis(port: number, command: string, ms?: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    const end = () => {
      resolve(answer);
      socket.destroy();
    };
    socket.setTimeout(1_000, () => socket.destroy(new Error('Redis is silent')));
    socket.once('error', reject).once('close', () => reject(new Error('Redis hung up')));
    socket.on('data', (piece) => {
      answer += piece;
      if (ms === undefined) end();
    });
    if (ms !== undefined) setTimeout(end, ms);
  });
}
