import { expect, it } from 'vitest';
import { CLOUDS, cloudOfHost } from '../../../../adapters/azureml/cloud.ts';

it.each([
  ['westeurope.api.azureml.ms', 'public'],
  ['EastUS2.API.AzureML.MS:443', 'public'],
  ['c0ffee00-0000-4000-8000-000000000001.workspace.westeurope.api.azureml.ms', 'public'],
  ['eastus.experiments.azureml.net', 'public'],
  ['usgovvirginia.api.ml.azure.us', 'us-government'],
  ['c0ffee00-0000-4000-8000-000000000001.workspace.usgovarizona.api.ml.azure.us', 'us-government'],
  ['chinaeast2.api.ml.azure.cn', 'china'],
  ['chinaeast2.experiments.ml.azure.cn', 'china'],
  ['127.0.0.1:8443', undefined],
  ['api.azureml.ms.example.org', undefined],
  ['notazureml.ms', undefined],
])('%s belongs to %s', (host, cloud) => expect(cloudOfHost(host)?.name).toBe(cloud));

it.each(Object.values(CLOUDS))('the hosts of $name are found to be its own', (cloud) => {
  expect(cloudOfHost(`region.${cloud.hostSuffix}`)).toBe(cloud);
  expect(new URL(cloud.authorityHost).protocol).toBe('https:');
  expect(cloud.tokenScope).toMatch(/^https:\/\/management\..*\/\.default$/);
});
