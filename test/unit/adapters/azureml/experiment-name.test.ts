import { expect, it } from 'vitest';
import { checkExperimentName } from '../../../../adapters/azureml/experiment-name.ts';

it.each(['/', 'a/b', '/Shared/a'])('the name %j is refused, since Azure would lose the experiment', (name) =>
  expect(() => checkExperimentName(name)).toThrow(
    expect.objectContaining({
      code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining(JSON.stringify(name)),
    }),
  ),
);

it.each(['a', 'a b', 'a\\b', ''])('the name %j is left to Azure', (name) =>
  expect(() => checkExperimentName(name)).not.toThrow(),
);
