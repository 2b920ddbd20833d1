import type { CommandOptions } from '../config/command.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { rebuildCommand } from '../indexing/rebuild-command.ts';
import { askGateway } from './ask-gateway.ts';
import { printJson } from './print-json.ts';
import { prepareToRead, withIndex } from './with-index.ts';

/** Has the running gateway build the index anew, and shows how far it is. Gives the exit code. */
export function runRebuild(config: Config, secrets: Secrets, options: CommandOptions): Promise<number> {
  return withIndex(config, secrets, async (opened) => {
    const { index, signal } = opened;
    await prepareToRead(opened);
    const describeGateway = () => describe(config);
    const report = await rebuildCommand({ index, output: process.stderr, signal, describeGateway });
    if (options.json) printJson(report);
    return 0;
  });
}

async function describe(config: Config): Promise<string> {
  const gateway = await askGateway(config);
  if (gateway && 'asksCaller' in gateway)
    return `The gateway at ${gateway.url} asks who is calling, so that it is not known what it keeps: see its log.`;
  return gateway
    ? `The gateway at ${gateway.url} keeps another index, or cannot reach this one: see its log.`
    : 'None answers where the configuration says. Start one, and ask again; or, while none runs, delete the index: the next ' +
        'start fills it anew.';
}
