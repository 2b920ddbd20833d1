import { type ChildServer, startChild } from './child-server.ts';
import { openConnection } from './connection.ts';
import type { Open } from './with-services.ts';

/** Express alone, which has the answer in its hands: what a hit costs at least. */
export interface BareAnswer {
  readonly server: ChildServer;
  answerWith(body: Buffer): Promise<void>;
}

export async function openBareAnswer(open: Open): Promise<BareAnswer> {
  const server = await open(startChild('bare-answer.ts'));
  const ask = await openConnection(open, server.url);
  return {
    server,
    async answerWith(body) {
      await ask({ method: 'PUT', path: '/', headers: { 'content-type': 'application/json' }, body });
    },
  };
}
