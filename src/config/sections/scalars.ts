import { z } from 'zod';
import { urlsIn } from '../urls-in.ts';

export const httpUrl = z.url({ protocol: /^https?$/, error: 'not an http:// or https:// URL' });
/** An MLflow server, or a workspace of Azure Machine Learning by the URI that it names. */
export const trackingUrl = z.url({
  protocol: /^(?:https?|azureml)$/,
  error: 'not an http://, https:// or azureml:// URL',
});
export const severalHttpUrls = z
  .string()
  .refine(
    (text) => urlsIn(text).every((url) => httpUrl.safeParse(url).success),
    'not an http:// or https:// URL, or several with commas between',
  );
const redisUrl = z.url({ protocol: /^rediss?$/, error: 'not a redis:// or rediss:// URL' });
export const severalRedisUrls = z
  .string()
  .refine(
    (text) => urlsIn(text).every((url) => redisUrl.safeParse(url).success),
    'not a redis:// or rediss:// URL, or several with commas between',
  );
export const milliseconds = z.int().positive();
export const bytes = z.int().nonnegative();
export const seconds = z.int().nonnegative();
/** In ms; 0 switches off. Timers count no further. */
export const period = z.int().min(0).max(2_147_483_647);
