import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createTokenSource, workspaceAddress } from '../../adapters/azureml/index.ts';
import { probeWorkspace, type Report } from '../azureml-probe/probe-workspace.ts';
import { PROBES, Questions } from '../azureml-probe/probes.ts';
import { findSample } from '../azureml-probe/sample.ts';
import { WorkspaceReader } from '../azureml-probe/workspace-reader.ts';
import { toExperimentGuid } from '../azureml-stand-in/ids.ts';
import { RULES, type RuleName, withDefaults } from '../azureml-stand-in/rules.ts';
import { type AzureMlStandIn, startAzureMlStandIn } from '../azureml-stand-in/start-azure-ml-stand-in.ts';
import { post } from '../fuzz/load-runs.ts';

const mlflowUrl = inject('mlflowUrl');
let standIn: AzureMlStandIn;
let reader: WorkspaceReader;
let experimentId: string;

beforeAll(async () => {
  standIn = await startAzureMlStandIn({ upstream: mlflowUrl });
  const name = `probe-${process.pid}-${Date.now()}`;
  const { experiment_id } = (await post(mlflowUrl, 'experiments/create', { name })) as { experiment_id: string };
  experimentId = toExperimentGuid(experiment_id);
  for (const model of ['Ridge', 'Lasso']) {
    const created = await post(mlflowUrl, 'runs/create', { experiment_id, start_time: Date.now(), user_id: 'Ada' });
    const { run } = created as { run: { info: { run_id: string } } };
    const batch = {
      params: [{ key: 'model', value: model }],
      tags: [{ key: 'team', value: 'blue' }],
      metrics: [{ key: 'acc', value: 0.5, timestamp: 1, step: 0 }],
    };
    await post(mlflowUrl, 'runs/log-batch', { run_id: run.info.run_id, ...batch });
    await post(mlflowUrl, 'runs/update', { run_id: run.info.run_id, status: 'FINISHED' });
  }
  const address = workspaceAddress({ trackingUri: standIn.trackingUri }, { cloud: 'public' });
  const tokens = createTokenSource({ kind: 'static', token: standIn.issueToken() }, address.cloud);
  reader = new WorkspaceReader({ address, tokens, caFile: standIn.caFile });
});
afterAll(async () => {
  await reader.close();
  await standIn.stop();
});

const probe = (): Promise<Report> => probeWorkspace(reader, experimentId, () => {});

/** Rules that only show where another one is the other way round. */
const SHOWS_WITH: Partial<Record<RuleName, Partial<Record<RuleName, boolean>>>> = {
  statusNames: { upperCaseStatus: false },
};

it.each(PROBES)('tells whether $rule is on', async ({ rule, ask }) => {
  for (const on of [false, true]) {
    standIn.change({ ...withDefaults(), ...SHOWS_WITH[rule], [rule]: on });
    const { on: seenOn, seen } = await ask(new Questions(reader, await findSample(reader, experimentId)));
    expect(seenOn, seen).toBe(on);
  }
});

it('reads only, and says what else it saw', async () => {
  standIn.change(withDefaults());
  standIn.requests.length = 0;
  const { findings, observations } = await probe();
  for (const { rule, on } of findings) expect([rule, on]).toEqual([rule, RULES[rule].on]);
  const seen = Object.fromEntries(observations.map((one) => [one.question, one.seen]));
  expect(seen).toMatchObject({
    'max_results 50001': '2 runs, no more',
    'no experiment': '0 runs',
    "another search's page token": expect.stringMatching(/^400 .*The page token belongs to another search/),
    'v1.0 and v2.0': 'the same runs',
  });
  const writes = standIn.requests.filter(({ method, path }) => method !== 'GET' && !/\/search(?:\?|$)/.test(path));
  expect(writes).toEqual([]);
});

it('says what it lacks to ask', async () => {
  const empty = { experiment_id: '' };
  Object.assign(empty, await post(mlflowUrl, 'experiments/create', { name: `empty-${process.pid}-${Date.now()}` }));
  const asked = probeWorkspace(reader, toExperimentGuid(empty.experiment_id), () => {});
  await expect(asked).rejects.toThrow('name another experiment');
});
