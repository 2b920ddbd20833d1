import { type TokenSource, type WorkspaceAddress, workspaceAddress } from '../../adapters/azureml/index.ts';
import { UpstreamClient } from '../../src/upstream/upstream-client.ts';

/** An answer as the workspace gave it. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Undefined when the text is none. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON there is
  readonly json: any;
}

export interface ReaderOptions {
  readonly address: WorkspaceAddress;
  readonly tokens: TokenSource;
  readonly caFile?: string | undefined;
}

const SEARCH = /^(?:runs|experiments|registered-models|logged-models)\/search$/;

/** Reads a workspace by plain requests. Nothing can be written by it. */
export class WorkspaceReader {
  readonly #tokens: TokenSource;
  readonly #clients: Readonly<Record<'v1.0' | 'v2.0', UpstreamClient>>;

  constructor({ address, tokens, caFile }: ReaderOptions) {
    const open = (apiVersion: 'v1.0' | 'v2.0') => {
      const trackingUri = `azureml://${address.host}/mlflow/v1.0${address.scope}`;
      const { mlflowUrl } = workspaceAddress({ trackingUri }, { cloud: address.cloud.name, apiVersion });
      return new UpstreamClient({
        url: mlflowUrl,
        timeoutMs: 120_000,
        connections: 1,
        caFile,
        rejectUnauthorized: true,
      });
    };
    this.#tokens = tokens;
    this.#clients = { 'v1.0': open('v1.0'), 'v2.0': open('v2.0') };
  }

  /** @throws GatewayError when there is no answer */
  get(path: string, query: Readonly<Record<string, string>> = {}, options: AskOptions = {}): Promise<Answer> {
    return this.#ask('GET', `${path}?${new URLSearchParams(query)}`, undefined, options);
  }

  /** @throws GatewayError when there is no answer; TypeError for what is no search */
  search(path: string, body: object, options: AskOptions = {}): Promise<Answer> {
    if (!SEARCH.test(path)) throw new TypeError(`${path} is no search.`);
    return this.#ask('POST', path, JSON.stringify(body), options);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#clients).map((client) => client.close()));
  }

  async #ask(
    method: string,
    path: string,
    body: string | undefined,
    { version = 'v2.0', anonymous = false }: AskOptions,
  ): Promise<Answer> {
    const { status, body: bytes } = await this.#clients[version].request({
      method,
      path: `/api/2.0/mlflow/${path}`,
      headers: {
        'content-type': 'application/json',
        ...(!anonymous && { authorization: `Bearer ${await this.#tokens.token()}` }),
      },
      ...(body !== undefined && { body }),
    });
    const text = bytes.toString('utf8');
    return { status, text, json: parse(text) };
  }
}

export interface AskOptions {
  readonly version?: 'v1.0' | 'v2.0';
  readonly anonymous?: boolean;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
