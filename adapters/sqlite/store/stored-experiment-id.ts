import { checkDatabaseInteger, readExperimentId } from '../../../src/query/database-integer.ts';

/** The id of an experiment as the database has it. @throws GatewayError with MLflow's words for what is none */
export function storedExperimentId(text: string): bigint {
  const id = readExperimentId(text);
  checkDatabaseInteger(id);
  return id;
}
