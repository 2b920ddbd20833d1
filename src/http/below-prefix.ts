import type { RequestListener } from 'node:http';
import { GatewayError } from '../errors/gateway-error.ts';
import { sendError } from './error-response.ts';

/**
 * Serves everything below a path: behind `/mlflow`, `/mlflow/api/…` is what is `/api/…` without one. What is not below it is not
 * there, and the prefix itself leads to the first page, which names its files relative to where it is.
 * @param prefix such as `/mlflow`, or nothing for none
 */
export function belowPrefix(prefix: string, handle: RequestListener): RequestListener {
  if (prefix === '') return handle;
  return (req, res) => {
    const { url = '' } = req;
    const rest = url.slice(prefix.length);
    if (!url.startsWith(prefix) || !/^(?:[/?]|$)/.test(rest))
      return void sendError(res, new GatewayError('ENDPOINT_NOT_FOUND', `Everything here is below ${prefix}/.`));
    if (!rest.startsWith('/')) return void res.writeHead(308, { location: `${prefix}/${rest}` }).end();
    req.url = rest;
    handle(req, res);
  };
}
