import { type ErrorCode, GatewayError } from '../../src/errors/gateway-error.ts';
import type { Credential } from './credential.ts';

const TITLE: Readonly<Record<Credential['kind'], string>> = {
  default: 'the default credential',
  'service-principal': 'its service principal',
  'managed-identity': 'its managed identity',
  'workload-identity': 'its workload identity',
  cli: 'the Azure CLI',
};

const CHECK: Readonly<Record<Credential['kind'], string>> = {
  default:
    'AZURE_TOKEN_CREDENTIALS narrows what is tried; better, name the kind of credential that is meant in the configuration.',
  'service-principal': 'Check the tenant and client id, that the secret or certificate has not expired, and the cloud.',
  'managed-identity': 'Check that this machine has the identity, and the client id if it has more than one.',
  'workload-identity':
    'Check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE, and that the identity trusts this service account.',
  cli: 'Check that az is on the PATH, and run az login.',
};

const MAX_LENGTH = 200;

/**
 * Says that the gateway itself got no token, and what to check. A refusal is `UNAUTHENTICATED`: MLflow's clients repeat what
 * fails with 5xx for minutes before they say why. `secrets` are struck out, should the library ever quote one.
 */
export function signInError(kind: Credential['kind'], thrown: unknown, secrets: readonly string[]): GatewayError {
  const text = strike(thrown instanceof Error ? thrown.message : String(thrown), secrets);
  const message = `The gateway cannot sign in to Azure by ${TITLE[kind]}: ${firstSentence(text)} ${CHECK[kind]}`;
  return new GatewayError(codeOf(thrown), message, { cause: new Error(text) });
}

const strike = (text: string, secrets: readonly string[]) =>
  secrets.filter((secret) => secret !== '').reduce((struck, secret) => struck.replaceAll(secret, '***'), text);

/** What Microsoft's library says of every failure to learn where tokens are to be had, without the reason. */
const UNREACHABLE = /endpoints_resolution_error|openid_config_error|network_error/;

/** Entra's own reason if there is one, without its ids of traces and its times. */
function firstSentence(text: string): string {
  const reason = /AADSTS\d+:.*/s.exec(text)?.[0] ?? text;
  if (UNREACHABLE.test(reason)) return 'Entra cannot be reached there, or does not know the tenant.';
  const [sentence = ''] = reason.split(/(?<=\.)\s|\n/, 1);
  return sentence.length > MAX_LENGTH ? `${sentence.slice(0, MAX_LENGTH)}…` : sentence.replace(/[^.]$/, '$&.');
}

/** Words of Azure's library (`AuthenticationError`), of Node and of the network. */
interface Thrown {
  readonly code?: string;
  readonly statusCode?: number;
  readonly cause?: unknown;
}

const NETWORK = /^(?:ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|REQUEST_SEND_ERROR|CERT_|.*_CERT)/;

function codeOf(thrown: unknown): ErrorCode {
  for (let error = thrown as Thrown | undefined; error instanceof Error; error = error.cause as Thrown) {
    if (error instanceof GatewayError) return error.code;
    const { statusCode = 0, code = '', message } = error as Thrown & Error;
    if (statusCode === 429 || statusCode >= 500 || NETWORK.test(code) || UNREACHABLE.test(message))
      return 'TEMPORARILY_UNAVAILABLE';
  }
  return 'UNAUTHENTICATED';
}
