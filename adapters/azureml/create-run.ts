import type { Requester, UpstreamRequest, UpstreamResponse } from '../../src/upstream/upstream-client.ts';
import { postText } from './ask.ts';
import { type Fields, objectOf, objectsOf, parseObject, textOf } from './wire-json.ts';

/** Tags that Azure drops when a run is made with them, and keeps when they are set afterwards (Azure/azure-sdk-for-python#45207). */
const DROPPED: ReadonlySet<string | undefined> = new Set(['mlflow.source.name', 'mlflow.source.type']);

/**
 * Makes a run, and sets the tags again that it lost on the way. One that cannot be set stays lost: the run is there, and an
 * error would have the caller make another.
 * @throws GatewayError when there is no answer to the first request
 */
export async function createRun(client: Requester, request: UpstreamRequest, body: string): Promise<UpstreamResponse> {
  const answer = await client.request(request);
  const created = answer.status === 200 ? readCreated(body, answer.body.toString('utf8')) : undefined;
  if (!created || created.lost.length === 0) return answer;
  const set: Fields[] = [];
  for (const { key, value } of created.lost) {
    const tag = JSON.stringify({ run_id: created.runId, key, value });
    const outcome = await postText(client, 'runs/set-tag', tag, request.signal).catch(() => undefined);
    if (outcome?.status === 200) set.push({ key, value });
  }
  return { ...answer, body: Buffer.from(created.textWith(set)) };
}

/** What is to be known of a new run; undefined where request or answer is not of the known form. */
function readCreated(body: string, text: string) {
  try {
    const answer = parseObject(text);
    const run = objectOf(answer.run);
    const data = objectOf(run.data);
    const kept = objectsOf(data.tags);
    const there = new Set(kept.map(({ key }) => textOf(key)));
    const isLost = ({ key }: Fields) => DROPPED.has(textOf(key)) && !there.has(textOf(key));
    const textWith = (tags: readonly Fields[]) =>
      textOfAzure({ ...answer, run: { ...run, data: { ...data, tags: [...kept, ...tags] } } });
    const runId = textOf(objectOf(run.info).run_id);
    return runId === undefined
      ? undefined
      : { runId, lost: objectsOf(parseObject(body).tags).filter(isLost), textWith };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** JSON as Azure writes it: what passes 2^53 is text. */
const textOfAzure = (value: object): string =>
  JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field));
