import { expect, it } from 'vitest';
import { createEndpoints, type Planner } from '../../../src/http/endpoints.ts';
import { openApiOf } from '../../fixtures/open-api.ts';

it('docs/openapi.yaml describes the endpoints as they are', async () => {
  const description = openApiOf(createEndpoints({} as Planner));
  await expect(description).toMatchFileSnapshot('../../../docs/openapi.yaml');
});
