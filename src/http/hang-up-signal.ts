import type { ServerResponse } from 'node:http';

/** Aborts when the caller hangs up before the answer is out. */
export function hangUpSignal(res: ServerResponse): AbortSignal {
  const controller = new AbortController();
  res.on('close', () => {
    if (!res.writableFinished) controller.abort();
  });
  return controller.signal;
}
