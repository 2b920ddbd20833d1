import { describe, expect, it } from 'vitest';
import { type AddressOptions, workspaceAddress } from '../../../../adapters/azureml/workspace-address.ts';

const SUBSCRIPTION = '00000000-0000-4000-8000-000000000001';
const GUID = 'c0ffee00-0000-4000-8000-000000000002';
const PROVIDER = 'providers/Microsoft.MachineLearningServices/workspaces';
const SCOPE = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-1/${PROVIDER}/ws`;
const HOST = 'westeurope.api.azureml.ms';
const names = { subscriptionId: SUBSCRIPTION, resourceGroup: 'rg-1', workspace: 'ws' };
const uri = (trackingUri: string, options?: AddressOptions) => workspaceAddress({ trackingUri }, options);

describe('a tracking URI', () => {
  it('leads to version 2 of the endpoint, and to run history beside it', () =>
    expect(uri(`azureml://${HOST}/mlflow/v1.0${SCOPE}`)).toEqual({
      ...names,
      cloud: expect.objectContaining({ name: 'public' }),
      host: HOST,
      scope: SCOPE,
      mlflowUrl: `https://${HOST}/mlflow/v2.0${SCOPE}`,
      historyUrl: `https://${HOST}/history/v1.0${SCOPE}`,
    }));

  it.each([
    ['with what is asked for today', `azureml://${HOST}/mlflow/v2.0${SCOPE}`],
    ['with a query', `azureml://${HOST}/mlflow/v1.0${SCOPE}?auth=x&is-remote=True`],
    ['with a slash at its end', `azureml://${HOST}/mlflow/v1.0${SCOPE}/`],
    ['as a URL', `https://${HOST}/mlflow/v1.0${SCOPE}`],
    ['with blanks around', ` azureml://${HOST}/mlflow/v1.0${SCOPE}\n`],
  ])('%s is the same', (_how, text) => expect(uri(text).mlflowUrl).toBe(`https://${HOST}/mlflow/v2.0${SCOPE}`));

  it('leads to version 1 when that is asked for', () =>
    expect(uri(`azureml://${HOST}/mlflow/v2.0${SCOPE}`, { apiVersion: 'v1.0' }).mlflowUrl).toContain('/mlflow/v1.0/'));

  it('may be behind a private link', () => {
    const host = `${GUID}.workspace.usgovvirginia.api.ml.azure.us`;
    expect(uri(`azureml://${host}/mlflow/v1.0${SCOPE}`)).toMatchObject({ host, cloud: { name: 'us-government' } });
  });

  it('of a host that does not tell its cloud needs it told', () => {
    const text = `azureml://127.0.0.1:8443/mlflow/v1.0${SCOPE}`;
    expect(() => uri(text)).toThrow(/127\.0\.0\.1:8443 does not tell .* \(public, us-government, china\)/);
    expect(uri(text, { cloud: 'china' })).toMatchObject({ host: '127.0.0.1:8443', cloud: { name: 'china' } });
  });

  it('of another cloud than the one that is set is refused', () =>
    expect(() => uri(`azureml://${HOST}/mlflow/v1.0${SCOPE}`, { cloud: 'china' })).toThrow(
      /belongs to the cloud public, not to china/,
    ));

  it.each([
    ['that goes over plain http', `http://${HOST}/mlflow/v1.0${SCOPE}`, /has the form azureml:\/\/<host>/],
    ['without a version', `azureml://${HOST}/mlflow${SCOPE}`, /has the form azureml:\/\/<host>/],
    ['with a name before the host', `azureml://me:s3cret@${HOST}/mlflow/v1.0${SCOPE}`, /has the form/],
    ['with placeholders', `azureml://${HOST}/mlflow/v1.0${SCOPE.replace('/ws', '/<ws>')}`, /is not the id/],
    ['that ends early', `azureml://${HOST}/mlflow/v1.0/subscriptions/${SUBSCRIPTION}`, /workspaces\/<workspace>/],
    ['that goes on', `azureml://${HOST}/mlflow/v1.0${SCOPE}/experiments/0`, /is not the id/],
    [
      'of a registry',
      `azureml://${HOST}/mlflow/v1.0${SCOPE.replace('/workspaces/ws', '/registries/models')}`,
      /a registry, which serves models only/,
    ],
    [
      'in another case',
      `azureml://${HOST}/mlflow/v1.0${SCOPE.replace('resourceGroups', 'resourcegroups')}`,
      new RegExp(`case count .* write ${SCOPE}\\.`),
    ],
    ['that is empty', '', /has the form/],
    ['of an MLflow server', 'http://127.0.0.1:5000', /has the form/],
  ])('%s is refused', (_how, text, message) => {
    expect(() => uri(text)).toThrow(message);
    expect(() => uri(text)).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER_VALUE' }));
    expect(() => uri(text)).not.toThrow(/s3cret/);
  });
});

describe('names', () => {
  it('and a region lead to the host of the region', () => {
    const address = workspaceAddress({ ...names, region: 'westeurope' });
    expect(address).toEqual(uri(`azureml://${HOST}/mlflow/v1.0${SCOPE}`));
  });

  it('may hold what replacements would read', () => {
    const address = workspaceAddress({ ...names, resourceGroup: 'a$&(b).c', region: 'westeurope' });
    expect(address.resourceGroup).toBe('a$&(b).c');
  });

  it('lead to the host of another cloud', () =>
    expect(workspaceAddress({ ...names, region: 'chinaeast2' }, { cloud: 'china' }).host).toBe(
      'chinaeast2.api.ml.azure.cn',
    ));

  it('and its own id lead to the host behind a private link', () =>
    expect(workspaceAddress({ ...names, region: 'westeurope', privateLinkId: GUID.toUpperCase() }).host).toBe(
      `${GUID}.workspace.${HOST}`,
    ));

  it('may come as an id of the resource manager', () =>
    expect(workspaceAddress({ resourceId: `${SCOPE}/`, region: 'westeurope' })).toEqual(
      workspaceAddress({ ...names, region: 'westeurope' }),
    ));

  it.each([
    [{ ...names, region: 'West Europe' }, /"West Europe" is not the name of a region, such as westeurope/],
    [{ ...names, region: '' }, /"" is not the name of a region\./],
    [{ ...names, region: 'westeurope', privateLinkId: 'ws' }, /"ws" is not the id of a workspace, which is a GUID/],
    [{ ...names, workspace: '', region: 'westeurope' }, /is not the id of a workspace/],
    [{ ...names, workspace: 'a/b', region: 'westeurope' }, /is not the id of a workspace/],
    [{ resourceId: 'ws', region: 'westeurope' }, /"ws" is not the id of a workspace, which has the form/],
  ])('%j are refused', (source, message) => expect(() => workspaceAddress(source)).toThrow(message));
});
