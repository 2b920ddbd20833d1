/** The keys of 64-bit integers in MLflow's JSON. */
export const INT64_KEYS: ReadonlySet<string> = new Set([
  ...['start_time', 'end_time', 'timestamp', 'step', 'creation_time', 'last_update_time'],
  ...['creation_timestamp', 'last_updated_timestamp', 'file_size'],
]);

/** MLflow said no. */
export class MlflowRefusal extends Error {
  override readonly name = 'MlflowRefusal';
  readonly status: number;
  readonly errorCode: string;

  constructor(status: number, errorCode: string, message: string) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }
}

/** The MLflow server that holds the data. 64-bit integers come as strings, for they may not fit into a number. */
export class MlflowBehind {
  readonly url: string;

  constructor(url: string) {
    this.url = url.replace(/\/$/, '');
  }

  /** @throws MlflowRefusal */
  get<T>(path: string, query: Record<string, string> | URLSearchParams = {}): Promise<T> {
    return this.ask('GET', `${path}?${new URLSearchParams(query)}`);
  }

  /** @throws MlflowRefusal */
  post<T>(path: string, body: unknown): Promise<T> {
    return this.ask('POST', path, body);
  }

  /** @throws MlflowRefusal */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${this.url}/api/2.0/mlflow/${path}`, { method, headers, ...content });
    const answer = parseInt64AsText(await response.text());
    if (response.ok) return answer as T;
    const { error_code, message } = (answer ?? {}) as { error_code?: string; message?: string };
    throw new MlflowRefusal(response.status, error_code ?? 'INTERNAL_ERROR', message ?? 'MLflow behind: no JSON');
  }
}

function parseInt64AsText(text: string): unknown {
  const asText = (key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && INT64_KEYS.has(key) ? (context?.source ?? `${value}`) : value;
  try {
    return JSON.parse(text, asText);
  } catch {
    return undefined;
  }
}
