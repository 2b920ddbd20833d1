import type { ListenRules } from './listen-rules.ts';

/** What MLflow puts on every API answer (`mlflow/server/fastapi_security.py`). */
const USUAL = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
} as const;

const CORS = {
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': '*',
} as const;

const LOCAL_ORIGIN = /^(https?):\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

/**
 * The headers of a native answer to a caller of this origin, or undefined when MLflow may refuse the origin: it decides
 * then. MLflow lets every scheme of localhost in, but names only http origins in its answer.
 */
export function createNativeHeaders({
  allowedOrigins,
  compressFromBytes,
}: ListenRules): (origin: string | undefined) => Readonly<Record<string, string>> | undefined {
  const allowed = new Set(allowedOrigins);
  const usual = { ...USUAL, vary: compressFromBytes > 0 ? 'Origin, Accept-Encoding' : 'Origin' };
  const cors = { ...usual, ...CORS };
  return (origin) => {
    if (origin === undefined) return usual;
    const local = LOCAL_ORIGIN.exec(origin);
    if (allowed.has(origin) || local?.[1] === 'http') return { ...cors, 'access-control-allow-origin': origin };
    return local ? cors : undefined;
  };
}
