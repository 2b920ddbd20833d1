/** What MLflow puts on every API answer (`mlflow/server/fastapi_security.py`). */
const USUAL = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  vary: 'Origin',
} as const;

const CORS = {
  ...USUAL,
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': '*',
} as const;

const LOCAL_ORIGIN = /^(https?):\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

/**
 * The headers of a native answer to a caller of this origin, or undefined when MLflow may refuse the origin: it decides
 * then. MLflow lets every scheme of localhost in, but names only http origins in its answer.
 */
export function createNativeHeaders(
  allowedOrigins: readonly string[],
): (origin: string | undefined) => Readonly<Record<string, string>> | undefined {
  const allowed = new Set(allowedOrigins);
  return (origin) => {
    if (origin === undefined) return USUAL;
    const local = LOCAL_ORIGIN.exec(origin);
    if (allowed.has(origin) || local?.[1] === 'http') return { ...CORS, 'access-control-allow-origin': origin };
    return local ? CORS : undefined;
  };
}
