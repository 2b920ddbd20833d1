import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/config/arguments.ts';

const problemsOf = (...argv: string[]) =>
  readArguments(argv).problems.map(({ path, message }) => `${path}: ${message}`);

describe('the command line', () => {
  it.each([
    [[], 'serve'],
    [['backfill'], 'backfill'],
    [['verify', '--json'], 'verify'],
    [['rebuild', '--json'], 'rebuild'],
    [['--json', 'index', '--count', 'status'], 'index status'],
    [['purge', '--run', 'a', '--experiment', '1'], 'purge'],
    [['verify', '--help'], 'help'],
  ])('%j is the command %s', (argv, command) => {
    expect(readArguments(argv)).toMatchObject({ command, problems: [] });
  });

  it('gives a command its options, and the defaults of those not given', () => {
    const argv = ['verify', '--experiment', '1', '--experiment=2', '--experiment', '1', '--max-differences', '0'];
    expect(readArguments([...argv, '--sample=7', '--upstream', 'http://m'])).toMatchObject({
      options: { json: false, full: false, sample: 7, maxDifferences: 0, experimentIds: ['1', '2'] },
      settings: [{ path: 'upstream.url', value: 'http://m' }],
      problems: [],
    });
    expect(readArguments(['verify']).options).toMatchObject({
      sample: 1_000,
      maxDifferences: 20,
      experimentIds: undefined,
      runIds: undefined,
    });
    expect(readArguments(['purge', '--run=a', '--run', 'b', '--run', 'a']).options).toMatchObject({
      runIds: ['a', 'b'],
    });
  });

  it('refuses what a command does not take, and numbers that are none', () => {
    expect(problemsOf('--json')).toEqual(['--json: unknown flag; --help lists them']);
    expect(problemsOf('index', 'status', '--full')).toEqual(['--full: unknown flag; --help lists them']);
    expect(problemsOf('verify', '--sampel', '3')).toEqual(['--sampel: unknown flag; did you mean --sample?']);
    expect(problemsOf('index')).toEqual([expect.stringContaining('index: unknown command')]);
    expect(problemsOf('verify', 'backfill')).toHaveLength(1);
    expect(problemsOf('verify', '--sample', '0')).toEqual(['--sample: not a whole number of at least 1']);
    expect(problemsOf('verify', '--max-differences', '-1')).toEqual([
      '--max-differences: not a whole number of at least 0',
    ]);
    expect(problemsOf('verify', '--full', '--sample', '3')).toEqual(['--sample: is of no use with --full']);
    expect(problemsOf('verify', '--experiment')).toEqual(['--experiment: needs a value']);
  });
});
