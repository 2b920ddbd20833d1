/** A gateway without cache that says little; with a folder, one that writes a CPU profile into it when it ends. */
export const gatewayEnv = (profileFolder: string | undefined): NodeJS.ProcessEnv => ({
  GATEWAY_CACHE_STORE: 'none',
  GATEWAY_DIALECT: 'sqlite',
  GATEWAY_LOG_LEVEL: 'warn',
  ...(profileFolder !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` }),
});

/**
 * For an index that is filled past its gateway: a comparison would take out of it what MLflow does not have, and where
 * MLflow has it, its reading would slow down the server that the gateway is measured against.
 */
export const WITHOUT_RECONCILING: NodeJS.ProcessEnv = {
  GATEWAY_FEED_RECONCILE_QUICK_EVERY_MS: '0',
  GATEWAY_FEED_RECONCILE_OPEN_EVERY_MS: '0',
  GATEWAY_FEED_RECONCILE_RECENT_EVERY_MS: '0',
  GATEWAY_FEED_RECONCILE_FULL_EVERY_MS: '0',
};
