import { GatewayError, invalidParameter } from '../../errors/gateway-error.ts';
import { bodyUpTo } from '../body.ts';
import { queryOf } from '../paths.ts';
import { parseArtifactPath, parseFilePath } from './artifact-path.ts';
import type { ArtifactHandler, ArtifactRoute } from './artifact-route.ts';
import { listArtifacts } from './list-artifacts.ts';
import { sendArtifact } from './send-artifact.ts';
import { sendJson } from './send-json.ts';
import { storeArtifact } from './store-artifact.ts';

const MAX_UPLOAD_BYTES = 10 * 1024 * 1024;

/** The endpoints that name a run instead of its folder. They check in MLflow's order: path, body, then the run. */
export function createRunArtifactRoutes(
  root: string,
  artifactUriOf: (runId: string) => Promise<string>,
): readonly ArtifactRoute[] {
  const folderOf = async (runId: string) => partsOfUri(await artifactUriOf(runId));

  const list: ArtifactHandler = async (req, res) => {
    const { runId, path } = parametersOf(req.url);
    if (!runId) throw invalidParameter(missing('run_id'));
    const parts = parseArtifactPath(path ?? '');
    const rootUri = await artifactUriOf(runId);
    const entries = await listArtifacts(root, [...partsOfUri(rootUri), ...parts]);
    const files = entries.map((entry) => ({ ...entry, path: [...parts, entry.path].join('/') }));
    sendJson(res, 200, { root_uri: rootUri, ...(files.length > 0 && { files }) });
  };

  const download: ArtifactHandler = async (req, res) => {
    const { runId, path } = parametersOf(req.url);
    if (path === undefined) throw invalidParameter(missing('path'));
    const parts = parseArtifactPath(path);
    if (!runId) throw new GatewayError('RESOURCE_DOES_NOT_EXIST', 'Run with id=None not found');
    const folder = await folderOf(runId);
    res.setHeader('cache-control', 'no-cache');
    await sendArtifact(root, [...folder, ...parts], req, res);
  };

  const upload: ArtifactHandler = async (req, res) => {
    const { runUuid, path } = parametersOf(req.url);
    if (!runUuid) throw invalidParameter('Request must specify run_uuid.');
    if (!path) throw invalidParameter('Request must specify path.');
    const parts = parseFilePath(path);
    const body = await bodyUpTo(MAX_UPLOAD_BYTES, req);
    if (!body) throw invalidParameter('Artifact size is too large. Max size is 10MB.');
    if (body.length === 0) throw invalidParameter('Request must specify data.');
    await storeArtifact(root, [...(await folderOf(runUuid)), ...parts], body);
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': 0 }).end();
  };

  return [
    { path: /^\/(?:ajax-)?api\/2\.0\/mlflow\/artifacts\/list$/, methods: { GET: list } },
    { path: /^\/get-artifact$/, methods: { GET: download } },
    { path: /^\/ajax-api\/2\.0\/mlflow\/upload-artifact$/, methods: { POST: upload } },
  ];
}

function parametersOf(target = '') {
  const query = new URLSearchParams(queryOf(target));
  const runUuid = query.get('run_uuid') ?? undefined;
  return { runId: query.get('run_id') || runUuid, runUuid, path: query.get('path') ?? undefined };
}

/** @throws GatewayError `INVALID_PARAMETER_VALUE` when the artifacts are not below the root, like those in a bucket. */
function partsOfUri(uri: string): readonly string[] {
  const [, path] = /^mlflow-artifacts:(?:\/\/[^/]*)?\/+(.*)$/.exec(uri) ?? [];
  if (!path) throw invalidParameter(`The artifacts at '${uri}' are not kept by this server.`);
  return parseArtifactPath(path);
}

const missing = (name: string) =>
  `Missing value for required parameter '${name}'. See the API docs for more information about request parameters.`;
