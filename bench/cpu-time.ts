import { readFileSync } from 'node:fs';

/** Linux counts in ticks, 100 a second on every platform Node runs on. */
const MS_PER_TICK = 10;

/** CPU time a process has used, in ms; NaN where the system does not tell. */
export function cpuTimeMs(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  // Fields are counted behind the name, which may hold blanks.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * MS_PER_TICK;
}
