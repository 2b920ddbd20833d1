import { freePort } from '../test/services/launch.ts';
import { startMlflow } from '../test/services/mlflow.ts';

/** An MLflow server over a SQLite file, which can be ended in the middle of its work and comes back where it was. */
export interface MlflowOnFile {
  readonly url: string;
  readonly databaseUri: string;
  restart(workers?: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startMlflowOnFile(file: string): Promise<MlflowOnFile> {
  const [databaseUri, port] = [`sqlite:///${file}`, await freePort()];
  const start = (workers: number) => startMlflow({ port, backendStoreUri: databaseUri, workers });
  let server = await start(1);
  return {
    url: server.url,
    databaseUri,
    async restart(workers = 1) {
      await server.stop();
      server = await start(workers);
    },
    stop: () => server.stop(),
  };
}
