export { createExperimentSearch } from './experiment-search.ts';
export { findCollatedPair } from './find-collated-pair.ts';
export { createPermissionProbe } from './permission-probe.ts';
export { probeDialect } from './probe-dialect.ts';
export { createMlflowAdapter } from './run-adapter.ts';
export { createRunReader, type RunReaderOptions } from './run-reader.ts';
