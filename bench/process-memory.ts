import { readFileSync } from 'node:fs';

function statusMiB(pid: number, name: string): number {
  if (process.platform !== 'linux') return Number.NaN;
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
  const [, kibibytes] = /(\d+) kB$/.exec(lines.find((line) => line.startsWith(`${name}:`)) ?? '') ?? [];
  return Number(kibibytes) / 1_024;
}

/** The most memory a process has held so far, in MiB; NaN where the system does not tell. */
export const peakMemoryMiB = (pid: number): number => statusMiB(pid, 'VmHWM');

/** The memory that a process holds now, likewise. */
export const heldMemoryMiB = (pid: number): number => statusMiB(pid, 'VmRSS');
