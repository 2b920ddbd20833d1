import { createMlflowAdapter } from '../../adapters/mlflow/index.ts';
import type { CommandOptions } from '../config/command.ts';
import type { Config } from '../config/schema.ts';
import type { Secrets } from '../config/secrets.ts';
import { type IndexStatus, indexStatus } from '../inspect/index-status.ts';
import { type AsksCaller, askGateway, type GatewayStatus } from './ask-gateway.ts';
import { placeOf } from './open-index.ts';
import { printJson } from './print-json.ts';
import { experimentsOf, prepareToRead, withIndex } from './with-index.ts';

/** Whether a gateway keeps the index up, as far as it can be told from one that answers. */
interface Keeper {
  readonly gateway: GatewayStatus | AsksCaller | undefined;
  /** Undefined when no gateway says: one elsewhere may. */
  readonly isKeptUp: boolean | undefined;
}

/** Prints how far the index can be trusted. Gives the exit code. */
export function runIndexStatus(config: Config, secrets: Secrets, options: CommandOptions): Promise<number> {
  return withIndex(config, secrets, async (opened) => {
    const { index, upstream, signal } = opened;
    await prepareToRead(opened);
    const experimentIds = await experimentsOf(opened, options.experimentIds);
    const countedIn = options.count ? createMlflowAdapter(upstream) : undefined;
    const status = await indexStatus(index, { experimentIds, countedIn, signal });
    const gateway = await askGateway(config);
    const isKeptUp = isKept(gateway, status.epoch);
    const kind = index.name;
    const place = placeOf(opened.config);
    if (options.json) printJson({ kind, place, isKeptUp: isKeptUp ?? null, gateway: gateway ?? null, ...status });
    else process.stdout.write(printStatus(`${kind} ${place}`, { gateway, isKeptUp }, status));
    return status.states['not recorded'] === 0 ? 0 : 1;
  });
}

function isKept(gateway: Keeper['gateway'], epoch: number): boolean | undefined {
  if (!gateway || 'asksCaller' in gateway) return undefined;
  return epoch > 0 && gateway.epoch === epoch && !gateway.superseded;
}

function printStatus(title: string, keeper: Keeper, status: IndexStatus): string {
  const { epoch, states, indexRuns, backendRuns, experiments } = status;
  const counts = Object.entries(states).map(([state, count]) => `${count} ${state}`);
  const lines = [
    `index        ${title}`,
    `epoch        ${epoch === 0 ? 'none: no gateway has used it yet' : epoch}`,
    `kept up      ${describe(keeper)}`,
    `runs         ${indexRuns}${backendRuns === undefined ? '' : ` of ${backendRuns}`}`,
    `experiments  ${counts.join(', ')}`,
    '',
    ...table([
      ['experiment', 'state', ...(backendRuns === undefined ? [] : ['in index', 'in MLflow'])],
      ...experiments.map((each) => [
        each.experimentId,
        each.state,
        ...[each.indexRuns ?? [], each.backendRuns ?? []].flat().map(String),
      ]),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function describe({ gateway, isKeptUp }: Keeper): string {
  if (!gateway) return 'unknown: no gateway answers where the configuration says';
  if ('asksCaller' in gateway)
    return `unknown: the gateway at ${gateway.url} asks who is calling (${CALLER_VARIABLES})`;
  if (!isKeptUp) return `no: the gateway at ${gateway.url} keeps another one, or begins anew`;
  return `yes, by the gateway at ${gateway.url}, ${gateway.dirtyRuns} runs to copy`;
}

const CALLER_VARIABLES = 'MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN';

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
