import { readFileSync } from 'node:fs';

/** The most memory a process has held so far, in MiB; NaN where the system does not tell. */
export function peakMemoryMiB(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1_024;
}
