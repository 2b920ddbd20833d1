import { Client } from 'undici';
import type { RecordedRequest } from './recorder.ts';
import type { Open } from './with-services.ts';

/** Sends a request and reads the whole answer. @throws Error unless it is a right one, and in time. */
export type Ask = (request: RecordedRequest) => Promise<Buffer>;

interface ConnectionOptions {
  readonly isRight?: (headers: Record<string, unknown>) => boolean;
  /** Afterwards the request fails with a TimeoutError; without one, it may take as long as it likes. */
  readonly timeLimitMs?: number;
}

/** Asks a server over one kept connection. */
export async function openConnection(open: Open, url: string, options: ConnectionOptions = {}): Promise<Ask> {
  const { isRight = () => true, timeLimitMs } = options;
  const client = new Client(url);
  await open(Promise.resolve({ stop: () => client.close() }));
  return async (request) => {
    const signal = timeLimitMs === undefined ? null : AbortSignal.timeout(timeLimitMs);
    const answer = await client.request({ ...request, signal } as Parameters<Client['request']>[0]);
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode === 200 && isRight(answer.headers)) return bytes;
    throw new Error(`${url} answered ${answer.statusCode}, not as expected: ${bytes.toString('utf8', 0, 300)}`);
  };
}
