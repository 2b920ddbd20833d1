import { GatewayError } from '../../errors/gateway-error.ts';

const BLANKS = ' \t\r\n';

/**
 * Words as a POSIX shell splits them, which is how MLflow finds the direction of an order clause (Python's `shlex`).
 * @throws GatewayError, an internal error as MLflow has it, when a quotation is not closed.
 */
export function splitAsShell(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote && character === quote) quote = undefined;
    else if (character === '\\' && quote !== "'") {
      const next = text[++at];
      if (next === undefined) throw new GatewayError('INTERNAL_ERROR', 'No escaped character');
      const kept = quote && next !== quote && next !== '\\' ? '\\' : '';
      word = (word ?? '') + kept + next;
    } else if (quote) word += character;
    else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (!BLANKS.includes(character)) word = (word ?? '') + character;
    else {
      if (word !== undefined) words.push(word);
      word = undefined;
    }
  }
  if (quote) throw new GatewayError('INTERNAL_ERROR', 'No closing quotation');
  return word === undefined ? words : [...words, word];
}
