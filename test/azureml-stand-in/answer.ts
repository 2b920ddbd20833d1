import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { INT64_KEYS } from './mlflow-behind.ts';
import type { Rules } from './rules.ts';

export interface Answer {
  readonly status: number;
  /** What goes out as JSON; undefined: nothing. */
  readonly body?: unknown;
  /** Instead of JSON. */
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Only half of it goes out. */
  readonly cut?: boolean;
}

const APP_ID = randomUUID();

/** `startedAt`: by `performance.now()`. */
export function sendAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  answer: Answer,
  rules: Rules,
  startedAt: number,
): void {
  const text = answer.html ?? (answer.body === undefined ? '' : toJson(answer, rules));
  const isZipped = rules.gzip && text !== '' && /\bgzip\b/.test(`${req.headers['accept-encoding'] ?? ''}`);
  const content = isZipped ? gzipSync(text) : Buffer.from(text);
  const type = answer.html === undefined ? 'application/json; charset=utf-8' : 'text/html';
  res.writeHead(answer.status, {
    ...(rules.answerHeaders ? serviceHeaders(req, startedAt) : {}),
    ...(text === '' ? {} : { 'content-type': type }),
    ...(isZipped ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {}),
    'content-length': `${content.length}`,
    ...answer.headers,
  });
  if (!answer.cut) return void res.end(content);
  res.write(content.subarray(0, Math.floor(content.length / 2)), () => res.destroy());
}

function toJson({ status, body }: Answer, rules: Rules): string {
  const text = JSON.stringify(body, (key, value) => {
    if (status < 300 && Array.isArray(value) && value.length === 0) return undefined;
    if (rules.zerosLeftOut && isDefault(key, value)) return undefined;
    return !rules.int64AsText && INT64_KEYS.has(key) && typeof value === 'string' ? Number(value) : value;
  });
  return text === '{}' && rules.blankInEmptyAnswers ? '{ }' : text;
}

/** What proto3 does not send: the value of a param may be the text 0, that of an integer is then no text. */
const isDefault = (key: string, value: unknown): boolean =>
  value === 0 || (INT64_KEYS.has(key) ? value === '0' : key === 'value' && value === '');

function serviceHeaders({ headers }: IncomingMessage, startedAt: number): Record<string, string> {
  const requestId = headers['x-ms-client-request-id'];
  return {
    'request-context': `appId=cid-v1:${APP_ID}`,
    'x-ms-response-type': 'standard',
    'x-request-time': ((performance.now() - startedAt) / 1_000).toFixed(3),
    'mise-correlation-id': randomUUID(),
    'azureml-served-by-cluster': 'stand-in',
    'strict-transport-security': 'max-age=15724800; includeSubDomains; preload',
    'x-content-type-options': 'nosniff',
    ...(typeof requestId === 'string' ? { 'x-ms-client-request-id': requestId } : {}),
  };
}
