import type { RedisFaultsResult, Spread } from '../redis-faults.ts';
import { ms, table, whole } from './markdown.ts';

const spread = ({ p50, p99, max }: Spread) => [p50, p99, max].map(ms).join(' / ');

export function describeRedisFaults({ clients, perSecond, shareOfWrites, sides }: RedisFaultsResult): string {
  const rows = sides.flatMap(({ gateways, phases }) =>
    phases.map(({ name, reads, writes, hitShare, errors, wrong, hitsBackMs }) => [
      `${gateways} × ${name}`,
      whole(reads.count + writes.count),
      spread(reads),
      spread(writes),
      `${whole(100 * hitShare)} %`,
      Number.isNaN(hitsBackMs) ? '' : (hitsBackMs / 1_000).toFixed(1),
      whole(errors),
      whole(wrong),
    ]),
  );
  return `## Faults of Redis

${whole(perSecond)} requests a second of ${clients} clients, ${whole(100 * shareOfWrites)} % of them writes, through one gateway, and through two
that share a Redis. Times in ms: p50 / p99 / max. *Hits back*: from the end of the fault until every gateway gave a hit, in s. *Wrong* is
an answer that is older than a write which was acknowledged before it was asked for.

${table(['gateways × fault', 'requests', 'reads', 'writes', 'hits', 'hits back', 'errors', 'wrong'], rows)}`;
}
