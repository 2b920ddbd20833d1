export type CloudName = 'public' | 'us-government' | 'china';

/** What differs between the clouds that Azure is sold as. One of them is always meant as a whole. */
export interface Cloud {
  readonly name: CloudName;
  /** Scope of the tokens asked for, the resource manager's: identities cannot get one for `ml.azure.*` everywhere. */
  readonly tokenScope: string;
  /** Where tokens are asked for. */
  readonly authorityHost: string;
  /** Follows the region in the name of a workspace's host. */
  readonly hostSuffix: string;
}

/** By the tables of Microsoft's own clients: `azureml-mlflow` (scopes, authorities), `azure-ai-ml` (hosts). */
export const CLOUDS: Readonly<Record<CloudName, Cloud>> = {
  public: {
    name: 'public',
    tokenScope: 'https://management.azure.com/.default',
    authorityHost: 'https://login.microsoftonline.com',
    hostSuffix: 'api.azureml.ms',
  },
  'us-government': {
    name: 'us-government',
    tokenScope: 'https://management.usgovcloudapi.net/.default',
    authorityHost: 'https://login.microsoftonline.us',
    hostSuffix: 'api.ml.azure.us',
  },
  china: {
    name: 'china',
    tokenScope: 'https://management.chinacloudapi.cn/.default',
    authorityHost: 'https://login.chinacloudapi.cn',
    hostSuffix: 'api.ml.azure.cn',
  },
};

/** Domains, since older hosts have another word than `api` before them. */
const DOMAINS: Readonly<Record<string, CloudName>> = {
  'azureml.ms': 'public',
  'azureml.net': 'public',
  'ml.azure.us': 'us-government',
  'ml.azure.cn': 'china',
};

/** The cloud a workspace's host belongs to; undefined for a host that is none of Azure's. A port is no matter. */
export function cloudOfHost(host: string): Cloud | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const domain = Object.keys(DOMAINS).find((known) => name.endsWith(`.${known}`));
  const cloud = domain === undefined ? undefined : DOMAINS[domain];
  return cloud && CLOUDS[cloud];
}
