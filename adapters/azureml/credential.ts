import type { TokenCredential, TokenCredentialOptions } from '@azure/identity';
import type { Cloud } from './cloud.ts';

/** An application of Entra's own, with the secret or the certificate that proves it. */
export interface ServicePrincipal {
  readonly kind: 'service-principal';
  readonly tenantId: string;
  readonly clientId: string;
  readonly secret?: string | undefined;
  /** PEM file with the certificate and its private key, instead of the secret. */
  readonly certificateFile?: string | undefined;
  readonly certificatePassword?: string | undefined;
}

/** Who the gateway is to Azure, other than by a token that it was given. */
export type Credential =
  /** Whatever the surroundings offer, by the order of `DefaultAzureCredential`. */
  | { readonly kind: 'default'; readonly tenantId?: string | undefined; readonly clientId?: string | undefined }
  | ServicePrincipal
  /** The identity of the machine, or that of the client id among several. */
  | { readonly kind: 'managed-identity'; readonly clientId?: string | undefined }
  /** A Kubernetes service account. What is not given is read from the variables that Azure sets in the pod. */
  | {
      readonly kind: 'workload-identity';
      readonly tenantId?: string | undefined;
      readonly clientId?: string | undefined;
      readonly tokenFile?: string | undefined;
    }
  /** Who is signed in with `az login`. */
  | { readonly kind: 'cli'; readonly tenantId?: string | undefined };

/** Another place to get tokens from than the cloud's own, for Azure Stack and tests. */
export interface Authority {
  /** With `https:`. */
  readonly authorityHost?: string | undefined;
  /** PEM text of the authority to trust there instead of the well-known ones. */
  readonly ca?: string | undefined;
}

/** Loads Azure's library, which is heavy, and makes its credential. @throws what the library throws for values it refuses */
export async function openCredential(
  credential: Credential,
  cloud: Pick<Cloud, 'authorityHost'>,
  authority: Authority = {},
): Promise<TokenCredential> {
  const azure = await import('@azure/identity');
  const options = optionsOf(cloud, authority);
  switch (credential.kind) {
    case 'default': {
      const { tenantId, clientId } = credential;
      return new azure.DefaultAzureCredential({
        ...options,
        ...given({ tenantId, managedIdentityClientId: clientId, workloadIdentityClientId: clientId }),
      });
    }
    case 'service-principal': {
      const { tenantId, clientId, secret = '', certificateFile, certificatePassword } = credential;
      if (certificateFile === undefined) return new azure.ClientSecretCredential(tenantId, clientId, secret, options);
      const certificate = { certificatePath: certificateFile, ...given({ certificatePassword }) };
      return new azure.ClientCertificateCredential(tenantId, clientId, certificate, options);
    }
    case 'managed-identity':
      return new azure.ManagedIdentityCredential({ ...options, ...given({ clientId: credential.clientId }) });
    case 'workload-identity': {
      const { tenantId, clientId, tokenFile } = credential;
      return new azure.WorkloadIdentityCredential({
        ...options,
        ...given({ tenantId, clientId, tokenFilePath: tokenFile }),
      });
    }
    case 'cli':
      return new azure.AzureCliCredential(given({ tenantId: credential.tenantId }));
  }
}

type Options = TokenCredentialOptions & { disableInstanceDiscovery?: boolean };

function optionsOf(cloud: Pick<Cloud, 'authorityHost'>, { authorityHost, ca }: Authority): Options {
  return {
    authorityHost: authorityHost ?? cloud.authorityHost,
    // The public cloud is asked whether a host is Entra's, and knows no others.
    ...(authorityHost !== undefined && { disableInstanceDiscovery: true }),
    ...(ca !== undefined && { tlsOptions: { ca } }),
  };
}

/** Without what is undefined, which the library's types do not take for absent. */
const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
