import type { GrowthResult } from '../growth.ts';
import { median } from '../statistics.ts';
import { table, whole } from './markdown.ts';

const COLUMNS = 10;

export function describeGrowth({ clients, minutes, heldMiB, peakMiB, ...load }: GrowthResult): string {
  const [before = Number.NaN, ...held] = heldMiB;
  const third = Math.ceil(held.length / 3);
  const rows = Array.from({ length: Math.ceil(held.length / COLUMNS) }, (_, i) => {
    const cells = held.slice(i * COLUMNS, (i + 1) * COLUMNS).map(whole);
    return [`from ${i * COLUMNS + 1}`, ...cells, ...Array<string>(COLUMNS - cells.length).fill('')];
  });
  return `## Memory over time

${clients} clients searched for ${minutes} minutes, ${load.searchesPerSecond.toFixed(0)} answers a second, pages of 1,000 among them, beside ${load.writesPerSecond.toFixed(0)} writes a second; ${load.failed}
failed. What the gateway held, in MiB, at the end of each minute:

${table(['minute', ...Array.from({ length: COLUMNS }, (_, i) => `+${i}`)], rows)}

Before it held ${whole(before)} MiB. Median of the first third ${whole(median(held.slice(0, third)))}, of the last third ${whole(median(held.slice(-third)))}; at most ${whole(peakMiB)}.`;
}
