import type { RawAnswer, RawExchange } from '../fixtures/raw-exchange.ts';

export interface Verdict {
  /** Why it fails; undefined when all is well. */
  readonly problem?: string;
  /** Whether MLflow fails over the same request. */
  readonly isMlflowsOwn?: boolean;
}

/** What MLflow says in plain text, whoever says it. */
const PLAIN = [
  'Invalid Host header - possible DNS rebinding attack detected',
  'Cross-origin request blocked',
  // Of uvicorn below it, to a long request line that comes in pieces of some lengths.
  'Invalid HTTP request received.',
];

/** A page of its web framework, which decides by path and method alone. */
const PAGE = /^<!doctype html>\n<html lang=en>\n<title>4\d\d /;

/**
 * Judges what came back: something has to, no failure may be ours alone, and an error has the form that MLflow gives it.
 * @param askMlflow asks MLflow the same directly
 */
export async function judgeExchange(exchange: RawExchange, askMlflow: () => Promise<RawExchange>): Promise<Verdict> {
  if (exchange.answers.length === 0) return { problem: exchange.closed ? 'closed without an answer' : 'no answer' };
  const isMlflows = exchange.answers.some(isPassedOn);
  const unclear = exchange.answers.filter(
    (answer) => !isPassedOn(answer) && (answer.status >= 500 || !isInForm(answer)),
  );
  if (unclear.length === 0) return { isMlflowsOwn: isMlflows };
  const { answers: direct } = await askMlflow();
  const isSame = (answer: RawAnswer) =>
    direct.some(({ status, headers }) =>
      answer.status >= 500 ? status >= 500 : status === answer.status && typeOf({ headers }) === typeOf(answer),
    );
  const wrong = unclear.find((answer) => !isSame(answer));
  if (!wrong) return { isMlflowsOwn: unclear.some(({ status }) => status >= 500) };
  return {
    problem:
      `${wrong.status} ${typeOf(wrong)} ${JSON.stringify(wrong.body.slice(0, 200))}, ` +
      `directly ${direct.map((answer) => `${answer.status} ${typeOf(answer)}`).join() || 'nothing'}`,
  };
}

/** A failure that MLflow answered with; no answer of the gateway names this server. */
const isPassedOn = ({ status, headers }: RawAnswer) => status >= 500 && headers.server === 'uvicorn';

const typeOf = ({ headers }: Pick<RawAnswer, 'headers'>) => headers['content-type']?.split(';')[0] ?? '';

/** MLflow's error in JSON, its framework's page, or what has no form to be held to. */
function isInForm(answer: RawAnswer): boolean {
  if (answer.status < 400 || PLAIN.includes(answer.body) || PAGE.test(answer.body)) return true;
  const type = typeOf(answer);
  // To a HEAD.
  if (answer.body === '' && type !== '') return true;
  if (type !== 'application/json') return false;
  try {
    const { error_code: code, message } = JSON.parse(answer.body) as Record<string, unknown>;
    return typeof code === 'string' && typeof message === 'string';
  } catch {
    return false;
  }
}
