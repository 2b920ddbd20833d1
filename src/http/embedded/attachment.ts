const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * The header that makes a browser save an answer instead of showing it on this origin: RFC 6266, with the letters that
 * ASCII has for clients that do not know `filename*` (`mlflow/server/handlers.py`, `_content_disposition_attachment`).
 */
export function attachment(name: string): string {
  const ascii = name.normalize('NFKD').replace(/[^ -~]/g, '') || 'download';
  const isAscii = /^[ -~]*$/.test(name);
  const plain = `attachment; filename=${quoted(isAscii ? name : ascii)}`;
  return isAscii ? plain : `${plain}; filename*=UTF-8''${percentEncoded(name)}`;
}

const quoted = (text: string): string => (TOKEN.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`);

const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
