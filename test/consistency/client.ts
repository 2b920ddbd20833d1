import { type Dispatcher, Pool } from 'undici';

const API = '/api/2.0/mlflow';

export interface ClientAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: MLflow's JSON
  readonly json: any;
  readonly cache: string;
}

/** Speaks to one gateway. */
export class Client {
  readonly #pool: Pool;

  constructor(url: string, connections: number) {
    this.#pool = new Pool(url, { connections });
  }

  get(path: string): Promise<ClientAnswer> {
    return this.#ask({ method: 'GET', path: API + path });
  }

  post(path: string, body: object): Promise<ClientAnswer> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask({ method: 'POST', path: API + path, headers, body: JSON.stringify(body) });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #ask(options: Dispatcher.RequestOptions): Promise<ClientAnswer> {
    const { statusCode, headers, body } = await this.#pool.request(options);
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${options.method} ${options.path}: ${statusCode} ${text.slice(0, 300)}`);
    return { json: JSON.parse(text), cache: String(headers['x-cache'] ?? '') };
  }
}
