import type { IncomingMessage, RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, sendAnswer } from './answer.ts';
import { AzureError, refusal } from './azure-error.ts';
import type { Fault, Faults, ReceivedRequest } from './faults.ts';
import { handleRequest } from './handle-request.ts';
import type { Rules } from './rules.ts';
import type { Workspace } from './workspace.ts';

/** Answers every request, and notes it. */
export function answerRequests(workspace: Workspace, faults: Faults, requests: ReceivedRequest[]): RequestListener {
  return (req, res) => {
    const startedAt = performance.now();
    const answered = async () => {
      const request = await receive(req);
      requests.push(request);
      const fault = faults.take(request);
      const answer = await answerWith(fault, () => answerTo(request, workspace));
      await sleep(fault?.delayMs ?? 0);
      sendAnswer(req, res, answer, workspace.rules, startedAt);
    };
    answered().catch(() => res.destroy());
  };
}

async function receive(req: IncomingMessage): Promise<ReceivedRequest> {
  const content = await text(req);
  return { method: req.method ?? '', path: req.url ?? '', headers: req.headers, body: parseBody(content) };
}

function parseBody(content: string): unknown {
  if (content === '') return undefined;
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}

async function answerTo(request: ReceivedRequest, workspace: Workspace): Promise<Answer> {
  try {
    return { status: 200, body: await handleRequest(request, workspace) };
  } catch (error) {
    if (error instanceof AzureError) return workspace.rules.badRequestForAll ? withBadRequest(error) : error;
    return refusal(`The stand-in failed: ${error}`, { status: 500, code: 'ServiceError', errorCode: 'INTERNAL_ERROR' });
  }
}

function withBadRequest({ status, body }: AzureError): Answer {
  const isOther = (body as { error_code?: string } | undefined)?.error_code !== 'INVALID_PARAMETER_VALUE';
  return { status, body: isOther ? body : { ...(body as object), error_code: 'BAD_REQUEST' } };
}

async function answerWith(fault: Fault | undefined, answer: () => Promise<Answer>): Promise<Answer> {
  if (fault?.status === undefined) return { ...(await answer()), cut: fault?.cut ?? false };
  if (fault.applied) await answer();
  const headers: Record<string, string> =
    fault.retryAfter === undefined ? {} : { 'retry-after': `${fault.retryAfter}` };
  return { ...bodyOf(fault, fault.status), status: fault.status, headers, cut: fault.cut ?? false };
}

function bodyOf({ body = 'empty' }: Fault, status: number): Pick<Answer, 'body' | 'html'> {
  if (body === 'html') return { html: `<html><head><title>${status}</title></head><body>${status}</body></html>` };
  if (body === 'empty') return { body: undefined };
  return { body: refusal('On demand.', { status, code: 'ServiceError', errorCode: 'TEMPORARILY_UNAVAILABLE' }).body };
}

/** For a port without TLS. */
export const refuseTokens =
  (answering: RequestListener, rules: Rules): RequestListener =>
  (req, res) => {
    if (req.headers.authorization === undefined) return answering(req, res);
    const { status, body } = refusal('Bearer tokens are not taken without TLS.', { status: 403 });
    sendAnswer(req, res, { status, body }, rules, performance.now());
  };
