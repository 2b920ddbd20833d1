import { FilterSyntaxError } from './filter-syntax-error.ts';
import { type Token, tokenize } from './tokenizer.ts';

/** A place in a list of tokens. */
export class TokenReader {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  /** @throws FilterSyntaxError when the text has no tokens that this grammar knows. */
  constructor(text: string) {
    this.text = text;
    this.#tokens = tokenize(text);
  }

  /** The token to come, of kind `end` for good when there are no more. */
  peek(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (!token) throw new TypeError('A token list ends with an end token.');
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  /** Takes the next token if it is this word, in any case unless `exactCase`. */
  takeWord(word: string, exactCase = false): boolean {
    const { kind, text } = this.peek();
    const taken = kind === 'word' && (exactCase ? text : text.toUpperCase()) === word;
    if (taken) this.#at++;
    return taken;
  }

  fail(problem: string, { start, text }: Token): FilterSyntaxError {
    return new FilterSyntaxError(
      text ? `${problem}, found ${text}.` : `${problem}, but the text ends.`,
      this.text,
      start,
    );
  }
}
