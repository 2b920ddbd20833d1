import type { EmbeddedAnswer } from './exchange.ts';

const PAGES = {
  404: [
    'Not Found',
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
  ],
  405: ['Method Not Allowed', 'The method is not allowed for the requested URL.'],
  500: [
    'Internal Server Error',
    'The server encountered an internal error and was unable to complete your request. Either the server is overloaded or there is an error in the application.',
  ],
} as const;

/** A page as MLflow's web framework writes it for what never reaches MLflow's own code. */
export function htmlPage(status: keyof typeof PAGES): EmbeddedAnswer {
  const [title, text] = PAGES[status];
  const body = `<!doctype html>\n<html lang=en>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n<p>${text}</p>\n`;
  return { status, contentType: 'text/html; charset=utf-8', body: Buffer.from(body) };
}
