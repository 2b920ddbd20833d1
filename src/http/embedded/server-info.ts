import type { EmbeddedAnswer } from './exchange.ts';

/** The MLflow whose API the store answers as; clients ask for it. */
export const MLFLOW_VERSION = '3.17.2';

const SERVER_INFO = {
  store_type: 'SqlStore',
  workspaces_enabled: false,
  trace_archival_enabled: false,
  multipart_uploads_enabled: false,
  multipart_downloads_enabled: false,
  presigned_upload_run_id_supported: false,
  presigned_upload_model_id_supported: false,
  features_enabled: { gateway: false },
};

const HOME = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tracking gateway</title>
<h1>Tracking gateway</h1>
<p>This is an MLflow tracking server: <code>mlflow.set_tracking_uri("…this address…")</code> logs to it and searches it.
<p>It has no pages of its own. MLflow's are there when the gateway stands in front of an MLflow server
(<code>npm start -- --upstream URL</code>).
</html>
`;

const answerOf = (contentType: string, text: string): EmbeddedAnswer => ({
  status: 200,
  contentType,
  body: Buffer.from(text),
});

const info = answerOf('application/json', JSON.stringify(SERVER_INFO));

const ANSWERS: Readonly<Record<string, EmbeddedAnswer>> = {
  '/': answerOf('text/html; charset=utf-8', HOME),
  '/health': answerOf('text/plain; charset=utf-8', 'OK'),
  '/version': answerOf('text/html; charset=utf-8', MLFLOW_VERSION),
  '/api/3.0/mlflow/server-info': info,
  '/ajax-api/3.0/mlflow/server-info': info,
};

/** MLflow's client looks for the models of a run whenever it lists artifacts. There are none, which is no error. */
const NO_MODELS = /^\/(?:ajax-)?api\/2\.0\/mlflow\/logged-models\/search$/;

/** What a tracking server answers whatever it holds; undefined for another request. */
export function fixedAnswer(method: string, path: string): EmbeddedAnswer | undefined {
  if (method === 'POST' && NO_MODELS.test(path)) return answerOf('application/json', '{}');
  return (method === 'GET' || method === 'HEAD') && Object.hasOwn(ANSWERS, path) ? ANSWERS[path] : undefined;
}
