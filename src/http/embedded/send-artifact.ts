import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import send from 'send';
import { GatewayError, invalidParameter } from '../../errors/gateway-error.ts';
import { asPathError, isMissing, resolveInside } from './artifact-path.ts';
import { attachment } from './attachment.ts';
import { plainTextType } from './plain-text-type.ts';

/**
 * Streams a file, or the range of it that the request asks for, as an attachment: shown on this origin, an uploaded page
 * could act for whoever opens it. Ends when the answer is out, or the caller gone.
 * @throws GatewayError `RESOURCE_DOES_NOT_EXIST` when there is no such file, `INVALID_PARAMETER_VALUE` when it is a folder
 * or outside the root.
 */
export async function sendArtifact(
  root: string,
  parts: readonly string[],
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const file = await findFile(root, parts);
  if (res.destroyed) return;
  const name = parts.at(-1) ?? '';
  res.setHeader('content-disposition', attachment(name));
  res.setHeader('x-content-type-options', 'nosniff');
  const type = plainTextType(name);
  if (type) res.setHeader('content-type', type);
  try {
    await stream(file, req, res);
  } catch (error) {
    if (res.headersSent) throw error;
    answerFailure(res, error, parts);
  }
}

async function findFile(root: string, parts: readonly string[]): Promise<string> {
  const file = await resolveInside(root, parts);
  const found = await stat(file).catch((error: unknown) => {
    throw isMissing(error) ? noSuchArtifact(parts) : asPathError(error);
  });
  if (found.isDirectory())
    throw invalidParameter(`Artifact path refers to a directory, not a file: '${parts.join('/')}'`);
  // Reading a pipe or a device might never end.
  if (!found.isFile()) throw noSuchArtifact(parts);
  return file;
}

function stream(file: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    res.on('close', resolve);
    send(req, encodeURIComponent(file), { dotfiles: 'allow', index: false, cacheControl: false })
      .on('headers', (_res: ServerResponse, _path: string, stats: Stats) => res.setHeader('etag', etagOf(stats)))
      .on('error', reject)
      .pipe(res);
  });
}

/** A strong tag, so that browsers resume downloads: every upload makes a new file, with a number of its own. */
const etagOf = ({ ino, size, mtimeMs }: Stats): string =>
  `"${[ino, size, Math.floor(mtimeMs * 1_000)].map((part) => part.toString(16)).join('-')}"`;

/** Headers of the file that would be untrue of an answer without it. */
const OF_THE_FILE = ['content-disposition', 'content-type', 'etag', 'last-modified', 'cache-control'];

function answerFailure(res: ServerResponse, error: unknown, parts: readonly string[]): void {
  for (const header of OF_THE_FILE) res.removeHeader(header);
  const { status } = error as { status?: number };
  if (status === 404) throw noSuchArtifact(parts);
  if (status !== 412 && status !== 416) throw error;
  res.writeHead(status, { 'content-length': 0 }).end();
}

const noSuchArtifact = (parts: readonly string[]) =>
  new GatewayError('RESOURCE_DOES_NOT_EXIST', `No such artifact: '${parts.join('/')}'`);
