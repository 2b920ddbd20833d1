import { createHash, randomBytes } from 'node:crypto';

/** What a caller may do: all, read, or nothing in this workspace. */
export type Rights = 'all' | 'read' | 'none';

export interface TokenOptions {
  /** What it was issued for: `https://management.azure.com` by default. */
  readonly audience?: string;
  /** From now; an hour by default. Negative: it has expired. */
  readonly expiresInMs?: number;
  readonly rights?: Rights;
  /** A GUID; by default one that belongs to the display name. */
  readonly objectId?: string;
  readonly displayName?: string;
}

export interface Caller {
  readonly audience: string;
  /** In ms since 1970. */
  readonly expires: number;
  readonly rights: Rights;
  readonly objectId: string;
  readonly displayName: string;
}

/** The audiences that the service takes, of each cloud: resource manager, its classic name, and machine learning. */
export const AUDIENCES = {
  public: ['https://management.azure.com', 'https://management.core.windows.net', 'https://ml.azure.com'],
  government: [
    'https://management.usgovcloudapi.net',
    'https://management.core.usgovcloudapi.net',
    'https://ml.azure.us',
  ],
  china: ['https://management.chinacloudapi.cn', 'https://management.core.chinacloudapi.cn', 'https://ml.azure.cn'],
} as const;
export type Cloud = keyof typeof AUDIENCES;

/** Who may call, by the tokens that were issued here. */
export class Callers {
  readonly #cloud: Cloud;
  readonly #byToken = new Map<string, Caller>();
  readonly #objectIds = new Map<string, string>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  /** The caller where nobody is asked. */
  get nobody(): Caller {
    return this.#make({});
  }

  issue(options: TokenOptions = {}): string {
    const caller = this.#make(options);
    const claims = { aud: caller.audience, exp: Math.floor(caller.expires / 1_000), oid: caller.objectId };
    // In the form of an Entra token; who it belongs to is known by its text alone.
    const parts = [
      { alg: 'RS256', typ: 'JWT' },
      { ...claims, name: caller.displayName },
    ];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
    const token = [...text, randomBytes(32).toString('base64url')].join('.');
    this.#byToken.set(token, caller);
    this.#objectIds.set(caller.displayName, caller.objectId);
    return token;
  }

  find(token: string): Caller | undefined {
    return this.#byToken.get(token);
  }

  /** Whether the token was issued for this service, with or without `/` at its end. */
  isForHere({ audience }: Caller): boolean {
    return (AUDIENCES[this.#cloud] as readonly string[]).includes(audience.replace(/\/$/, ''));
  }

  /** The object id of whom a run shows by this name. */
  objectIdOf(displayName: string): string {
    return this.#objectIds.get(displayName) ?? guidOf(displayName);
  }

  #make(options: TokenOptions): Caller {
    const { audience = AUDIENCES[this.#cloud][0], expiresInMs = 3_600_000, rights = 'all' } = options;
    const { displayName = 'Test Caller', objectId = guidOf(displayName) } = options;
    return { audience, expires: Date.now() + expiresInMs, rights, objectId, displayName };
  }
}

function guidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
