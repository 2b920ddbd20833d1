import { findProgram } from './find-program.ts';
import { ensureProgram } from './install.ts';
import { run } from './run.ts';

/** Makes a self-signed certificate for this machine, which is its own authority, in two PEM files. */
export async function makeCertificate(key: string, certificate: string): Promise<void> {
  const openssl = await ensureProgram('openssl', () => findProgram(['openssl']));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const files = ['-keyout', key, '-out', certificate];
  await run(openssl, ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '7', ...subject, ...files]);
}
