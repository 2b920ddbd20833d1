import { describe, expect, it } from 'vitest';
import { Backends } from '../../../src/federation/backends.ts';
import { FIELDS_OF_SEVERAL } from '../../../src/federation/experiments-of-several.ts';
import { translationOf } from '../../../src/federation/id-mapping.ts';
import { translateExperimentFilter, translateRunFilter } from '../../../src/federation/translate-filter.ts';
import { parseExperimentFilter, parseRunFilter } from '../../../src/query/parse-filter.ts';
import { printFilter } from '../../../src/query/print.ts';

const others = [{ id: 'lab', namePrefix: 'lab/' }];
const backends = new Backends(others);
const [bare, lab] = backends.all.map((backend) => translationOf(backends, backend)) as [
  ReturnType<typeof translationOf>,
  ReturnType<typeof translationOf>,
];
const HEX = '0123456789abcdef0123456789abcdef';

const show = ({ findsNothing, native, rest }: ReturnType<typeof translateRunFilter>) =>
  findsNothing
    ? 'nothing'
    : [native && printFilter(native), rest && `outside: ${printFilter(rest)}`].filter(Boolean).join('; ');

describe('filters of one backend among several', () => {
  it.each([
    ["run_id = 'lab-1'", "run_id = '1'"],
    ["run_id = '1'", 'nothing'],
    ["run_id != '1' AND metrics.a > 1", 'metric.`a` > 1'],
    ["run_id IN ('lab-1', '2', 'lab-3')", "run_id IN ('1', '3')"],
    ["run_id IN ('2')", 'nothing'],
    ["run_id NOT IN ('2')", ''],
    ["run_id NOT IN ('2', 'lab-1')", "run_id NOT IN ('1')"],
    ["run_id LIKE 'lab-%' AND status = 'FINISHED'", "status = 'FINISHED'; outside: run_id LIKE 'lab-%'"],
    [`tags.mlflow.parentRunId = 'lab-${HEX}'`, `tag.\`mlflow.parentRunId\` = '${HEX}'`],
    [`tags.mlflow.parentRunId != '${HEX}'`, `tag.\`mlflow.parentRunId\` != 'default-${HEX}'`],
    ["tags.mlflow.parentRunId LIKE 'lab%'", "outside: tag.`mlflow.parentRunId` LIKE 'lab%'"],
    ['tags.mlflow.parentRunId IS NULL', 'tag.`mlflow.parentRunId` IS NULL'],
    ["artifact_uri = 'mlflow-artifacts:/lab-1/x'", "artifact_uri = 'mlflow-artifacts:/1/x'"],
    ["artifact_uri = 'mlflow-artifacts:/1/x'", "artifact_uri = 'mlflow-artifacts:/default-1/x'"],
    ["artifact_uri = 'mlflow-artifacts:/default-1/x'", "artifact_uri = 'mlflow-artifacts:/default-default-1/x'"],
    ["artifact_uri = 's3://b/1'", "artifact_uri = 's3://b/1'"],
    ["params.run_id = 'lab-1'", "param.`run_id` = 'lab-1'"],
  ])('%s is %s', (filter, expected) => {
    expect(show(translateRunFilter(parseRunFilter(filter), lab))).toBe(expected);
  });

  it.each([
    ["run_id = 'lab-1'", 'nothing'],
    ["run_id = '1' AND run_id != 'lab-1'", "run_id = '1'"],
    ["run_id IN ('lab-1', '2')", "run_id IN ('2')"],
    ["run_id LIKE 'l%'", "run_id LIKE 'l%'"],
    [`tags.mlflow.parentRunId = 'lab-${HEX}'`, `tag.\`mlflow.parentRunId\` = 'lab-${HEX}'`],
    ["artifact_uri LIKE 'mlflow-artifacts:/lab-%'", "artifact_uri LIKE 'mlflow-artifacts:/lab-%'"],
  ])('for the default backend, %s is %s', (filter, expected) => {
    expect(show(translateRunFilter(parseRunFilter(filter), bare))).toBe(expected);
  });

  it.each([
    ["experiment_id = 'lab-1'", "experiment_id = '1'", 'nothing'],
    ["experiment_id IN ('lab-1', '2')", "experiment_id IN ('1')", "experiment_id IN ('2')"],
    ["name = 'lab/a'", "name = 'a'", 'nothing'],
    ["name = 'a'", 'nothing', "name = 'a'"],
    ["name = 'default/lab/a'", 'nothing', "name = 'lab/a'"],
    ["name != 'a' AND tags.k = 'v'", "tag.`k` = 'v'", "name != 'a' AND tag.`k` = 'v'"],
    ["name ILIKE '%a%'", "outside: name ILIKE '%a%'", "outside: name ILIKE '%a%'"],
    ['creation_time > 5', 'creation_time > 5', 'creation_time > 5'],
  ])('of experiments: %s is %s, and by default %s', (filter, ofLab, ofDefault) => {
    expect(show(translateExperimentFilter(parseExperimentFilter(filter, FIELDS_OF_SEVERAL), lab))).toBe(ofLab);
    expect(show(translateExperimentFilter(parseExperimentFilter(filter, FIELDS_OF_SEVERAL), bare))).toBe(ofDefault);
  });
});
