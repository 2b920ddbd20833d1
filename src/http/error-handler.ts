import type { ErrorRequestHandler } from 'express';
import type { Logger } from '../telemetry/logger.ts';
import { sendError } from './error-response.ts';

/** The last of an app's handlers: answers with what was thrown, and logs what is nobody's fault but ours. */
export const createErrorHandler =
  (logger: Logger): ErrorRequestHandler =>
  (thrown, req, res, _next) => {
    const error = sendError(res, thrown);
    if (error.code === 'INTERNAL_ERROR')
      logger.error({ err: error, method: req.method, path: req.path }, 'request failed');
  };
