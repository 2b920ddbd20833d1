import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';

const WITHIN_MS = 2_000;

export interface AskOptions {
  /** `user:password` */
  readonly auth?: string | undefined;
  /** PEM of the authority to trust. */
  readonly ca?: string | undefined;
}

/** Whether a GET of the address answers 200 in time; rejects when nothing answers. */
export function answers(url: string, { auth, ca }: AskOptions = {}): Promise<boolean> {
  const get = url.startsWith('https:') ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    const request = get(url, { auth, ca, agent: false, timeout: WITHIN_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy(new Error('silent'))).on('error', reject);
  });
}
