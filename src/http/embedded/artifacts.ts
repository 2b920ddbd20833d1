import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../../errors/gateway-error.ts';
import { bodyOf } from '../body.ts';
import { queryOf } from '../paths.ts';
import { parseArtifactPath, parseFilePath } from './artifact-path.ts';
import { type ArtifactHandler, type ArtifactRoute, answerRoute } from './artifact-route.ts';
import { deleteArtifact } from './delete-artifact.ts';
import { listArtifacts } from './list-artifacts.ts';
import { createRunArtifactRoutes } from './run-artifact-routes.ts';
import { sendArtifact } from './send-artifact.ts';
import { sendJson } from './send-json.ts';
import { storeArtifact } from './store-artifact.ts';

export interface ArtifactDeps {
  /** The folder that holds the artifacts of all runs, as an absolute path. It need not exist yet. */
  readonly root: string;
  /** @throws GatewayError `RESOURCE_DOES_NOT_EXIST` when there is no such run. */
  artifactUriOf(runId: string): Promise<string>;
}

/**
 * MLflow's artifact endpoints over a local folder: the proxy its clients use (`mlflow/server/artifact_router.py`), and
 * what its UI reads and writes of a run (`mlflow/server/handlers.py`). `path` is the request's, with its escapes;
 * undefined for a path of anything else. The promise rejects with the `GatewayError` to answer with, a `CANCELLED` one
 * when the caller left during an upload.
 */
export type ArtifactRoutes = ReturnType<typeof createArtifactRoutes>;

export function createArtifactRoutes({ root, artifactUriOf }: ArtifactDeps) {
  const routes = [...createProxyRoutes(root), ...createRunArtifactRoutes(root, artifactUriOf)];

  return (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> | undefined => {
    for (const route of routes) {
      const match = route.path.exec(path);
      if (match) return answerRoute(route, req, res, match[1] ?? '');
    }
    return undefined;
  };
}

function createProxyRoutes(root: string): readonly ArtifactRoute[] {
  const list: ArtifactHandler = async (req, res) => {
    const folder = new URLSearchParams(queryOf(req.url ?? '')).get('path') ?? '';
    const files = await listArtifacts(root, parseArtifactPath(folder));
    sendJson(res, 200, files.length > 0 ? { files } : {});
  };

  const download: ArtifactHandler = (req, res, rest) => sendArtifact(root, parseArtifactPath(rest), req, res);

  const upload: ArtifactHandler = async (req, res, rest) => {
    await storeArtifact(root, parseFilePath(rest), bodyOf(req));
    res.writeHead(200, { 'content-length': 0 }).end();
  };

  const remove: ArtifactHandler = async (_req, res, rest) => {
    await deleteArtifact(root, parseArtifactPath(rest));
    sendJson(res, 200, {});
  };

  return [
    { path: proxyPath('artifacts'), methods: { GET: list } },
    { path: proxyPath('artifacts/(.*)'), methods: { GET: download, PUT: upload, DELETE: remove } },
    { path: proxyPath('mpu/(?:create|complete|abort)/(.+)'), methods: { POST: unsupported('upload') } },
    { path: proxyPath('presigned/(.+)'), methods: { GET: unsupported('download') } },
  ];
}

const proxyPath = (pattern: string): RegExp => new RegExp(`^/(?:ajax-)?api/2\\.0/mlflow-artifacts/${pattern}$`);

/** A local folder has no URLs to hand out: MLflow's clients then use the plain endpoints. */
function unsupported(direction: 'upload' | 'download'): ArtifactHandler {
  const message = `Multipart ${direction} is not supported for the current artifact repository`;
  return async (_req, _res, rest) => {
    parseArtifactPath(rest);
    throw new GatewayError('NOT_IMPLEMENTED', message);
  };
}
