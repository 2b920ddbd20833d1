import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Report {
  readonly message?: string;
  readonly error?: { readonly summary?: string };
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string; readonly fixAvailable?: unknown }>>;
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, number>> };
}

const SERIOUS = ['high', 'critical'];

/**
 * Asks the package registry for known vulnerabilities of what the gateway runs with. Fails for serious ones. Without a registry
 * that can be asked, as offline or behind a mirror, it says that nothing was audited, and does not fail.
 */
function audit(): number {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  });
  const report = readReport(stdout);
  if (!report.metadata?.vulnerabilities) {
    const reason = report.message ?? report.error?.summary ?? 'npm audit gave no report';
    console.warn(`NOT AUDITED: the package registry could not be asked for known vulnerabilities (${reason}).`);
    return 0;
  }
  const serious = Object.entries(report.vulnerabilities ?? {}).filter(([, { severity }]) => SERIOUS.includes(severity));
  for (const [name, { severity, fixAvailable }] of serious)
    console.error(`${severity}: ${name}${fixAvailable ? ', npm audit fix has a remedy' : ''}`);
  const counts = Object.entries(report.metadata.vulnerabilities).map(([severity, count]) => `${count} ${severity}`);
  console.log(`Audited what runs in production: ${counts.join(', ')}`);
  return serious.length > 0 ? 1 : 0;
}

function readReport(text: string): Report {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return {};
  }
}

process.exitCode = audit();
