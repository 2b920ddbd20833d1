import { invalidParameter } from '../../src/errors/gateway-error.ts';
import { CLOUDS, type Cloud, type CloudName, cloudOfHost } from './cloud.ts';

/** Versions of the endpoint: 2.0 is what clients of MLflow 2 and 3 call, 1.0 what the workspace itself still names. */
export type ApiVersion = 'v1.0' | 'v2.0';

/** Names of a workspace, as the portal shows them. */
export interface WorkspaceNames {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly workspace: string;
}

/** Where a host is built from its region. */
export interface WorkspacePlace {
  /** As in `westeurope`. */
  readonly region: string;
  /** The workspace's own id, a GUID: its host behind a private link begins with it. */
  readonly privateLinkId?: string | undefined;
}

/** A workspace told by what it says of itself (`mlFlowTrackingUri`), by its id in the resource manager, or by its names. */
export type WorkspaceSource =
  | { readonly trackingUri: string }
  | (WorkspacePlace & { readonly resourceId: string })
  | (WorkspacePlace & WorkspaceNames);

export interface AddressOptions {
  /** By default that of the host, and `public` where the host is built here. */
  readonly cloud?: CloudName | undefined;
  /** Default `v2.0`. A version in the tracking URI does not count. */
  readonly apiVersion?: ApiVersion | undefined;
}

/** Where a workspace is reached. */
export interface WorkspaceAddress extends WorkspaceNames {
  readonly cloud: Cloud;
  readonly host: string;
  /** The id in the resource manager, beginning with a slash. */
  readonly scope: string;
  /** What `/api/2.0/mlflow/…` is put after. */
  readonly mlflowUrl: string;
  /** Run history, beside MLflow on the same host. */
  readonly historyUrl: string;
}

const SCOPE_FORM =
  '/subscriptions/<subscription>/resourceGroups/<group>/providers/Microsoft.MachineLearningServices/workspaces/<workspace>';
const URI_FORM = `azureml://<host>/mlflow/v1.0${SCOPE_FORM}`;
const NAME = '([^/?#<>\\s]+)';
const SCOPE = new RegExp(`^${SCOPE_FORM.replaceAll('.', '\\.').replace(/<\w+>/g, NAME)}$`);
const ANY_CASE_SCOPE = new RegExp(SCOPE, 'i');
const TRACKING_URI = /^(azureml|https):\/\/([^/?#@]+)\/mlflow\/v\d+\.\d+(\/[^?#]*)/;
const HOST = /^[a-z0-9.-]+(:\d{1,5})?$/i;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws GatewayError `INVALID_PARAMETER_VALUE` that says what is wrong and what is expected. */
export function workspaceAddress(source: WorkspaceSource, options: AddressOptions = {}): WorkspaceAddress {
  const { host, scope, cloud } = 'trackingUri' in source ? readUri(source, options) : build(source, options);
  const base = (service: string) => `https://${host}/${service}${scope}`;
  return {
    ...readScope(scope),
    cloud,
    host,
    scope,
    mlflowUrl: base(`mlflow/${options.apiVersion ?? 'v2.0'}`),
    historyUrl: base('history/v1.0'),
  };
}

interface Place {
  readonly host: string;
  readonly scope: string;
  readonly cloud: Cloud;
}

function readUri({ trackingUri }: { readonly trackingUri: string }, { cloud }: AddressOptions): Place {
  const [, , host = '', path = ''] = TRACKING_URI.exec(trackingUri.trim()) ?? [];
  if (!HOST.test(host)) {
    const shown = JSON.stringify(withoutUser(trackingUri));
    throw invalidParameter(`${shown} is not the MLflow tracking URI of a workspace, which has the form ${URI_FORM}.`);
  }
  return { host, scope: path.replace(/\/$/, ''), cloud: cloudOf(host, cloud) };
}

/** Nobody should put a password there, but who does finds it in a log. */
const withoutUser = (uri: string) => uri.replace(/\/\/[^/]*@/, '//');

function cloudOf(host: string, asked: CloudName | undefined): Cloud {
  const found = cloudOfHost(host);
  if (asked === undefined) {
    if (found) return found;
    const names = Object.keys(CLOUDS).join(', ');
    throw invalidParameter(`The host ${host} does not tell which cloud it belongs to: name it (${names}).`);
  }
  if (found && found.name !== asked)
    throw invalidParameter(`The host ${host} belongs to the cloud ${found.name}, not to ${asked}.`);
  return CLOUDS[asked];
}

function build(source: WorkspacePlace & ({ readonly resourceId: string } | WorkspaceNames), options: AddressOptions) {
  const { region, privateLinkId } = source;
  if (!/^[a-z0-9]+$/.test(region)) {
    const guess = region.toLowerCase().replace(/[^a-z0-9]/g, '');
    throw invalidParameter(`${JSON.stringify(region)} is not the name of a region${guess && `, such as ${guess}`}.`);
  }
  if (privateLinkId !== undefined && !GUID.test(privateLinkId))
    throw invalidParameter(`${JSON.stringify(privateLinkId)} is not the id of a workspace, which is a GUID.`);
  const cloud = CLOUDS[options.cloud ?? 'public'];
  const link = privateLinkId === undefined ? '' : `${privateLinkId.toLowerCase()}.workspace.`;
  const scope = 'resourceId' in source ? source.resourceId.trim().replace(/\/$/, '') : printScope(source);
  return { host: `${link}${region}.${cloud.hostSuffix}`, scope, cloud };
}

const printScope = ({ subscriptionId, resourceGroup, workspace }: WorkspaceNames) =>
  SCOPE_FORM.replace(/<(\w+)>/g, (_all, field: string) =>
    field === 'subscription' ? subscriptionId : field === 'group' ? resourceGroup : workspace,
  );

/** The service's own client takes no other case of it (`azureml-mlflow`). */
function readScope(scope: string): WorkspaceNames {
  const [, subscriptionId, resourceGroup, workspace] = SCOPE.exec(scope) ?? [];
  if (subscriptionId !== undefined && resourceGroup !== undefined && workspace !== undefined)
    return { subscriptionId, resourceGroup, workspace };
  if (/\/registries\/[^/]+$/.test(scope))
    throw invalidParameter('This is a registry, which serves models only, no runs: name a workspace instead.');
  const [, ...names] = ANY_CASE_SCOPE.exec(scope) ?? [];
  if (names.length > 0) {
    const spelled = SCOPE_FORM.replace(/<\w+>/g, () => names.shift() ?? '');
    throw invalidParameter(`Upper and lower case count in the id of a workspace: write ${spelled}.`);
  }
  throw invalidParameter(`${JSON.stringify(scope)} is not the id of a workspace, which has the form ${SCOPE_FORM}.`);
}
