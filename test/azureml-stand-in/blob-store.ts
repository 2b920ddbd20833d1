import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Rules } from './rules.ts';

interface Grant {
  readonly place: string;
  readonly right: 'read' | 'write';
  /** In ms since 1970. */
  readonly expires: number;
}

const LIFE_MS = 600_000;

/** Blobs by signed URLs, on an origin of their own that knows no bearer token; the MLflow behind keeps them. */
export class BlobStore {
  readonly #mlflowUrl: string;
  readonly #rules: Rules;
  readonly #grants = new Map<string, Grant>();
  /** `https://localhost:port`, when that is known. */
  origin = '';

  constructor(mlflowUrl: string, rules: Rules) {
    this.#mlflowUrl = mlflowUrl.replace(/\/$/, '');
    this.#rules = rules;
  }

  sign(place: string, right: Grant['right']): string {
    const signature = randomBytes(32).toString('base64');
    this.#grants.set(signature, { place, right, expires: Date.now() + LIFE_MS });
    return `${this.origin}/artifacts/${encodeURI(place)}?sp=${right === 'read' ? 'r' : 'cw'}&sig=${encodeURIComponent(signature)}`;
  }

  async has(place: string): Promise<boolean> {
    const response = await this.#ask('GET', place);
    await response.body?.cancel();
    return response.ok;
  }

  readonly listener: RequestListener = (req, res) => {
    this.#handle(req, res).catch(() => res.destroy());
  };

  async #handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '', this.origin);
    const content = await buffer(req);
    const grant = this.#grants.get(url.searchParams.get('sig') ?? '');
    const right = req.method === 'PUT' ? 'write' : 'read';
    const isMeant = grant && decodeURI(url.pathname) === `/artifacts/${grant.place}` && grant.expires > Date.now();
    if (!isMeant || grant.right !== right || req.headers.authorization !== undefined)
      return refuse(res, 403, 'AuthenticationFailed');
    return right === 'read' ? this.#read(grant.place, res) : this.#write(grant.place, content, req, res);
  }

  async #read(place: string, res: ServerResponse): Promise<void> {
    const response = await this.#ask('GET', place);
    if (!response.ok) return refuse(res, 404, 'BlobNotFound');
    const content = Buffer.from(await response.arrayBuffer());
    res.writeHead(200, { 'x-ms-blob-type': 'BlockBlob', 'content-length': content.length }).end(content);
  }

  async #write(place: string, content: Buffer, { headers }: IncomingMessage, res: ServerResponse): Promise<void> {
    if (this.#rules.blobHeaders) {
      if (headers['x-ms-blob-type'] !== 'BlockBlob') return refuse(res, 400, 'MissingRequiredHeader');
      if (await this.has(place)) return refuse(res, 409, 'BlobAlreadyExists');
    }
    const response = await this.#ask('PUT', place, content);
    if (response.ok) res.writeHead(201, { 'content-length': 0 }).end();
    else refuse(res, 500, 'InternalError');
  }

  #ask(method: string, place: string, content?: Buffer): Promise<Response> {
    const path = place.split('/').map(encodeURIComponent).join('/');
    const body = content && { body: new Uint8Array(content) };
    return fetch(`${this.#mlflowUrl}/api/2.0/mlflow-artifacts/artifacts/${path}`, { method, ...body });
  }
}

/** In the form of blobs, which is XML. */
function refuse(res: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code></Error>`;
  res.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code }).end(body);
}
