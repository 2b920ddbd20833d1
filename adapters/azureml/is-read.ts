interface Asked {
  readonly method: string;
  readonly path: string;
}

/** Whether a request changes nothing, so that it may be repeated whatever became of it. */
export const isRead = ({ method, path }: Asked): boolean =>
  method === 'GET' || method === 'HEAD' || (method === 'POST' && /^[^?]*\/search(?:\?|$)/.test(path));
