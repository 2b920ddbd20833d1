export { createExperimentSearch } from './experiment-search.ts';
export { probeDialect } from './probe-dialect.ts';
export { createMlflowAdapter } from './run-adapter.ts';
export { createRunReader, type RunReaderOptions } from './run-reader.ts';
