import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, inNewFolder, launch, type Service } from './launch.ts';
import { askRedis, installRedis } from './redis.ts';

export const SENTINEL_NAME = 'the-master';

/** A Sentinel that decides alone, soon, and asks for this password. */
export async function startSentinel(masterPort: number, password: string): Promise<Service> {
  const port = await freePort();
  return inNewFolder('sentinel', true, async (folder) => {
    const file = join(folder, 'sentinel.conf');
    const of = (setting: string, value: string) => `sentinel ${setting} ${SENTINEL_NAME} ${value}`;
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `requirepass ${password}`,
      of('monitor', `127.0.0.1 ${masterPort} 1`),
      of('down-after-milliseconds', '1000'),
      of('failover-timeout', '5000'),
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const service = await launch({
      name: 'Sentinel',
      command: await installRedis(),
      args: [file, '--sentinel'],
      folder,
      asRoot: true,
      isReady: async () => (await askRedis(port, 'PING')).startsWith('-NOAUTH'),
      readyWithinMs: 20_000,
    });
    return { url: `redis://127.0.0.1:${port}`, ...service };
  });
}
