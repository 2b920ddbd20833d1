/** A gateway without cache that says little; with a folder, one that writes a CPU profile into it when it ends. */
export const gatewayEnv = (profileFolder: string | undefined): NodeJS.ProcessEnv => ({
  GATEWAY_CACHE_STORE: 'none',
  GATEWAY_DIALECT: 'sqlite',
  GATEWAY_LOG_LEVEL: 'warn',
  ...(profileFolder !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` }),
});
