import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BarChart, drawBarChart } from './bar-chart.ts';
import type { MlflowSection } from './report/mlflow.ts';
import type { ScaleSection } from './report/scale.ts';
import type { BenchReport } from './report.ts';

const UNIT = 'ms';

const chartMlflow = ({ runs, searches }: MlflowSection): BarChart => ({
  title: `${runs.toLocaleString('en')} runs: median time of a search, logarithmic`,
  unit: UNIT,
  series: ['MLflow on PostgreSQL', 'gateway', 'hit in memory'],
  rows: searches.map(({ name, source, mlflow, gateway, memory }) => ({
    label: source === 'index' ? name : `${name} (MLflow answers)`,
    values: [mlflow.p50, gateway.p50, memory?.p50],
  })),
});

const chartScale = ({ small, large }: ScaleSection): BarChart => ({
  title: 'Ten times the runs: median time of a search, logarithmic',
  unit: UNIT,
  series: [small, large].map(({ runs }) => `${runs.toLocaleString('en')} runs`),
  rows: large.searches.map(({ name, gateway }, i) => ({
    label: name,
    values: [small.searches[i]?.gateway.p50, gateway.p50],
  })),
});

/** Draws what the report has of times over MLflow and of sizes, each into a file of its own. */
export async function writeFigures({ mlflow, scale }: BenchReport, folder: string): Promise<void> {
  const charts = { ...(mlflow && { mlflow: chartMlflow(mlflow) }), ...(scale && { scale: chartScale(scale) }) };
  await mkdir(folder, { recursive: true });
  for (const [name, chart] of Object.entries(charts)) await writeFile(join(folder, `${name}.svg`), drawBarChart(chart));
}
