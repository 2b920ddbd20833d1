import { connect } from 'node:net';
import { findProgram } from './find-program.ts';
import { ensureProgram } from './install.ts';
import { freePort, inNewFolder, launch, type Service } from './launch.ts';

export interface RedisOptions {
  /** A free one by default; given, a server can come back where it was. */
  readonly port?: number;
}

export const installRedis = (): Promise<string> => ensureProgram('redis-server', () => findProgram(['redis-server']));

/** Redis that keeps everything in memory and nothing on disk. */
export async function startRedis(options: RedisOptions = {}): Promise<Service> {
  const command = await installRedis();
  const port = await freePort(options.port);
  return inNewFolder('redis', true, async (folder) => {
    const service = await launch({
      name: 'Redis',
      command,
      args: ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', folder, '--save', '', '--appendonly', 'no'],
      folder,
      asRoot: true,
      isReady: async () => (await askRedis(port, 'PING')).startsWith('+PONG'),
      readyWithinMs: 20_000,
    });
    return { url: `redis://127.0.0.1:${port}`, ...service };
  });
}

/** Sends one inline command to a Redis on this machine and gives the first piece of its answer. */
export function askRedis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.setTimeout(1_000, () => socket.destroy(new Error('Redis is silent')));
    socket.once('error', reject).once('close', () => reject(new Error('Redis hung up')));
    socket.once('data', (answer) => {
      resolve(answer.toString());
      socket.destroy();
    });
  });
}
