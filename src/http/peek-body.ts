import type { IncomingMessage } from 'node:http';
import { cancelled } from '../errors/cancelled.ts';

/**
 * Reads the whole body of a request and puts it back, so that whoever handles the request next reads it as if for the first
 * time. To be called before anybody else reads.
 * @param length of the body, as announced
 * @throws GatewayError `CANCELLED` when it breaks off
 */
export function peekBody(req: IncomingMessage, length: number): Promise<Buffer> {
  if (length === 0) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let missing = length;
    const fail = (cause?: unknown) => {
      stop();
      reject(cancelled(cause));
    };
    const stop = () => req.off('readable', take).off('error', fail).off('close', fail);
    function take(): void {
      while (missing > 0) {
        const chunk: Buffer | null = req.read();
        if (chunk === null) return;
        chunks.push(chunk);
        missing -= chunk.length;
      }
      stop();
      const body = Buffer.concat(chunks);
      // At once: the end of the body is told in the next moment, if nothing is left of it by then.
      req.unshift(body);
      resolve(body);
    }
    req.on('readable', take).on('error', fail).on('close', fail);
  });
}
