/** An answer as far as it came: `refused` when nobody listened, `broken` when it ended early or never came. */
export type Exchange =
  | { readonly kind: 'answer'; readonly status: number; readonly source: string; readonly text: string }
  | { readonly kind: 'refused' | 'broken'; readonly reason: string };

/** Longer than any pause of a process. */
const PATIENCE_MS = 60_000;

/** Posts to an endpoint below `/api/2.0/mlflow/`. Never throws. */
export async function exchange(base: string, path: string, body: object): Promise<Exchange> {
  try {
    const answer = await fetch(`${base}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const source = answer.headers.get('x-gateway-source') ?? 'none';
    return { kind: 'answer', status: answer.status, source, text: await answer.text() };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
    const reason = cause?.code ?? cause?.message ?? String(error);
    return { kind: reason === 'ECONNREFUSED' ? 'refused' : 'broken', reason };
  }
}

const MAY_FAIL = [503, 504];
/** MLflow's own word that its database gave up, which the gateway passes on. */
const DATABASE_FAILED = 'sqlite3.OperationalError';

/** Whether a failed exchange is one that a fault explains: a broken connection, or an error in MLflow's shape. */
export function isClearFailure(answer: Exchange): boolean {
  if (answer.kind !== 'answer') return true;
  try {
    const { error_code, message } = JSON.parse(answer.text) as Record<string, unknown>;
    if (typeof error_code !== 'string' || typeof message !== 'string') return false;
    return MAY_FAIL.includes(answer.status) || (answer.status === 500 && message.includes(DATABASE_FAILED));
  } catch {
    return false;
  }
}
