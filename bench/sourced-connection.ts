import { type Ask, openConnection } from './connection.ts';
import type { Open } from './with-services.ts';

/** A gateway over one kept connection. */
export interface SourcedConnection {
  readonly ask: Ask;
  /** Which sources the answers named since this was last asked. */
  takeSources(): readonly string[];
}

export async function openSourcedConnection(open: Open, url: string): Promise<SourcedConnection> {
  let sources = new Set<string>();
  const ask = await openConnection(open, url, {
    isRight({ 'x-gateway-source': source }) {
      sources.add(String(source));
      return true;
    },
  });
  return {
    ask,
    takeSources() {
      const taken = [...sources];
      sources = new Set();
      return taken;
    },
  };
}
