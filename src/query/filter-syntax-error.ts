import { GatewayError } from '../errors/gateway-error.ts';

/**
 * A filter or order clause outside the grammar this parser is sure of. With one backend the text is handed on and this
 * message reaches operators only; without one it is the answer.
 */
export class FilterSyntaxError extends GatewayError {
  override readonly name = 'FilterSyntaxError';
  readonly problem: string;
  /** UTF-16 offset in the text. */
  readonly offset: number;

  constructor(problem: string, text: string, offset: number) {
    super('INVALID_PARAMETER_VALUE', `${problem}\n${excerpt(text, offset)}`);
    this.problem = problem;
    this.offset = offset;
  }
}

const EXCERPT_BEFORE = 60;
const EXCERPT_AFTER = 40;

function excerpt(text: string, offset: number): string {
  const from = Math.max(0, offset - EXCERPT_BEFORE);
  const line = text.slice(from, offset + EXCERPT_AFTER).replace(/\s/g, ' ');
  return `${line}\n${' '.repeat(offset - from)}^ at character ${offset}`;
}
