import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createAzureRunAdapter } from '../../../../adapters/azureml/index.ts';
import { totalOrder } from '../../../../src/query/order.ts';
import { parseRunFilter } from '../../../../src/query/parse-filter.ts';
import { parseRunOrder } from '../../../../src/query/parse-order.ts';

const FILTERS = [
  'metrics.loss < 0.5',
  'metrics.loss != 0.5',
  'metrics."val loss" < 0.5',
  "params.lr = '0.1'",
  "params.lr != '0.1'",
  "params.lr LIKE '0.%'",
  'params.lr IS NULL',
  "tags.team = 'vision'",
  "tags.team != 'vision'",
  "tags.team ILIKE 'vis%'",
  "attributes.status = 'FINISHED'",
  "attributes.run_id = 'a'",
  "attributes.run_id IN ('a', 'b')",
  "attributes.run_id NOT IN ('a')",
  "attributes.user_id = 'First Last'",
  "attributes.run_name = 'one'",
  "attributes.artifact_uri = 'u'",
  'attributes.start_time > 1700000000000',
  'attributes.end_time > 1700000000000',
  "datasets.name = 'd'",
];
const ORDERS = [
  'attributes.start_time DESC',
  'attributes.start_time ASC',
  'attributes.end_time DESC',
  'metrics.loss ASC',
];

interface Described {
  readonly filter: string;
  readonly order_by: readonly string[];
}

const adapter = createAzureRunAdapter(
  { request: () => Promise.reject(new Error('Nothing is asked.')) },
  { name: 'azureml' },
);

function scanOf(filter: string, orderBy: readonly string[]) {
  const order = totalOrder(parseRunOrder(orderBy));
  const query = {
    experimentIds: [],
    view: 'active',
    filter: parseRunFilter(filter),
    order,
    dialect: 'sqlite',
  } as const;
  const scan = adapter.pushDown(query);
  return { ...scan, sent: scan.describe() as Described };
}

it('docs/azure-ml.md tells what is sent to Azure of filters and orders', () => {
  const filters = FILTERS.map((filter) => {
    const { sent } = scanOf(filter, []);
    return `| \`${filter}\` | ${sent.filter === '' ? 'no' : `\`${sent.filter}\``} |`;
  });
  const orders = ORDERS.map((order) => {
    const { sent, orderedBy } = scanOf('', [order]);
    return `| \`order_by ${order}\` | ${orderedBy > 0 ? `\`order_by ${sent.order_by}\`; ties by the gateway` : 'no'} |`;
  });
  expect(readFileSync('docs/azure-ml.md', 'utf8')).toContain([...filters, ...orders].join('\n'));
});
