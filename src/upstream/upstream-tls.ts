import { readFileSync } from 'node:fs';

/** How the certificate of a backend with an `https:` URL is judged. */
export interface UpstreamTls {
  /** PEM file with the authorities to trust; by default those that Node brings. */
  readonly caFile?: string | undefined;
  /** False accepts any certificate. */
  readonly rejectUnauthorized?: boolean;
}

/** The same as Node's TLS takes it: verified unless it is said otherwise. @throws when the file cannot be read */
export const tlsOptionsOf = ({ caFile, rejectUnauthorized = true }: UpstreamTls) => ({
  rejectUnauthorized,
  ...(caFile !== undefined && { ca: readFileSync(caFile) }),
});
