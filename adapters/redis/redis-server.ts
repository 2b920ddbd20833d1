/** Which Redis, and how to be let in. */
export interface RedisServer {
  /** `redis:`, or `rediss:` for TLS: of the server; of several Sentinels, or of some nodes of a cluster, which know the rest. */
  readonly url: string | readonly string[];
  /** By default one server. With Sentinel the one that is the master; in a cluster the node of each key. */
  readonly mode?: 'standalone' | 'sentinel' | 'cluster' | undefined;
  /** What the Sentinels call the master. */
  readonly sentinelName?: string | undefined;
  /** Wins over what the URL says, as do password and database. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Of the Sentinels themselves. */
  readonly sentinelPassword?: string | undefined;
  /** Not of a cluster, which has one. */
  readonly database?: number | undefined;
  /** PEM text of the authority to trust instead of the well-known ones. */
  readonly ca?: string | undefined;
  /** False accepts any certificate: for tests only. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}
